// A model as a list of its tensors, each with the place where it stands, and what is said about the rest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weighbridge/limits.hpp>

#include "formats/onnx/tensor.hpp"
#include "formats/onnx/wire.hpp"

namespace weighbridge::onnx {

/// A message that others stand in: what has to be counted again when one of them changes its length.
struct Enclosure {
  Extent field = {};          ///< From its tag to the end of its content.
  std::uint64_t content = 0;  ///< Where the content begins.
  std::uint32_t number = 0;   ///< Of the field.
  std::uint32_t parent = 0;   ///< Position of the one around it. The model, at 0, is its own.
};

/// A list of nodes and tensors in which names mean something.
struct Scope {
  std::string path = {};  ///< "" for the main graph, "If_3/then_branch" for a branch.
  bool graph = true;      ///< Of the main graph or one within it; not of a function or of training.
};

/// Where in a model a tensor stands.
enum class Role : std::uint8_t {
  Initializer,
  Constant,   ///< The value of a Constant node: named by its output.
  Attribute,  ///< Of any other node, or the default of a function's attribute.
};

struct SparseTensor {
  TensorProto indices = {};
  Shape dims = {};
};

struct Tensor {
  std::string name =
      {};  ///< Unique in the model: that of the proto in the main graph, the path before it elsewhere.
  TensorProto proto = {};  ///< Of a sparse one its values.
  std::optional<SparseTensor> sparse = {};
  Role role = Role::Initializer;
  std::uint32_t scope = 0;
  std::uint32_t enclosure = 0;  ///< The message that it stands in.
  Extent field = {};            ///< From its tag to its end.
};

/// A name and the text of a type, as of an input: "FLOAT [batch, 3]".
struct Port {
  std::string name = {};
  std::string type = {};
};

struct FunctionId {
  std::string domain = {};
  std::string name = {};
  std::string overload = {};
  friend auto operator<=>(const FunctionId&, const FunctionId&) = default;
};

/// What a model is beside its tensors. Texts are found by their place and read when they are asked for.
struct Facts {
  std::optional<std::uint64_t> ir_version = {};
  std::optional<std::uint64_t> model_version = {};
  std::vector<std::pair<std::string, Field>> texts = {};       ///< producer_name, graph.name, ...
  std::vector<std::pair<std::string, Field>> properties = {};  ///< metadata_props.
  std::vector<std::pair<std::string, std::uint64_t>> opsets = {};
  std::vector<Port> inputs = {};
  std::vector<Port> outputs = {};
  std::map<std::pair<std::string, std::string>, std::uint64_t> operators = {};  ///< (domain, type) to count.
  std::vector<FunctionId> functions = {};
  /// Files that nodes of type EPContext name, which onnxruntime loads.
  std::vector<std::string> context_files = {};
};

struct Model {
  Facts facts = {};
  std::vector<Scope> scopes = {};
  std::vector<Enclosure> enclosures = {};
  std::vector<Tensor> tensors = {};  ///< In file order.
};

/// Reads the structure of a model: no data of a tensor, no other file. Nothing recurses: messages may stand
/// 100 deep, as protobuf's own parsers have it.
/// Throws MalformedCheckpoint for what is no model, for singular fields that stand there twice, for functions
/// that call themselves; NameCollision for two initializers of one name; LimitExceeded, Unsupported.
[[nodiscard]] Model parse_model(Window& window, const Limits& limits);

/// Gives every tensor its name. Throws NameCollision, LimitExceeded. Called by parse_model.
void name_tensors(Model& model, std::vector<std::string> labels, const Limits& limits);

/// Throws MalformedCheckpoint when functions call each other in a circle. `calls` are pairs of positions in
/// `functions`.
void refuse_recursion(const std::vector<FunctionId>& functions,
                      const std::vector<std::pair<std::uint32_t, std::uint32_t>>& calls);

}  // namespace weighbridge::onnx
