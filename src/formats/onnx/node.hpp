// Nodes, attributes and functions: what they are called, and whether it is worth to enter them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <weighbridge/limits.hpp>

#include "formats/onnx/model.hpp"
#include "formats/onnx/wire.hpp"

namespace weighbridge::onnx {

struct NodeText {
  std::string label = {};   ///< Its name, or its type and place among its neighbours: "If_3".
  std::string type = {};    ///< op_type.
  std::string domain = {};  ///< "" for "ai.onnx", which is the same.
  std::string overload = {};
  std::string output = {};  ///< The first one.
  bool has_attributes = false;

  [[nodiscard]] bool is_constant() const { return type == "Constant" && domain.empty(); }
};

struct AttributeText {
  std::string name = {};
  bool holds_tensors = false;  ///< Tensors or graphs.
  bool is_reference = false;   ///< To an attribute of the function around it: it has no value of its own.
};

[[nodiscard]] NodeText read_node(Window& window, Extent message, const Limits& limits,
                                 std::uint64_t position);
[[nodiscard]] AttributeText read_attribute(Window& window, Extent message, const Limits& limits);
[[nodiscard]] FunctionId read_function(Window& window, Extent message, const Limits& limits);

/// "domain::name" or "domain::name:overload".
[[nodiscard]] std::string function_text(const FunctionId& id);

/// "a/b", or "b" below nothing.
[[nodiscard]] std::string join_path(std::string_view path, std::string_view label);

/// Whether it is value_float, value_floats, value_int or value_ints of a Constant node.
[[nodiscard]] bool is_constant_list(const NodeText& node, const AttributeText& attribute);

/// Such an attribute as a tensor: F32 or I64, of one dimension or none. REQUIRES: is_constant_list.
[[nodiscard]] TensorProto list_as_tensor(Window& window, Extent message, const AttributeText& attribute);

/// A SparseTensorProto; the tensor's proto are its values. Throws MalformedCheckpoint when a part is missing.
[[nodiscard]] Tensor parse_sparse(Window& window, Extent message, const Limits& limits);

}  // namespace weighbridge::onnx
