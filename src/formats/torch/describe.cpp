#include "formats/torch/describe.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "formats/torch/json_scalars.hpp"
#include "formats/torch/names.hpp"
#include "formats/torch/nested.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/plain.hpp"
#include "formats/torch/quantized.hpp"
#include "formats/torch/sparse.hpp"
#include "formats/torch/tensor_kind.hpp"

namespace weighbridge::torch {
namespace {

/// What is known of a special tensor. Empty fields are not said.
struct Description {
  std::string_view kind;
  std::string dtype;
  std::optional<Shape> shape;
  JsonMembers more;
};

std::string json_text(std::string_view text) {
  std::string out;
  bool escaped = false;
  append_json_string(out, valid_utf8(text, escaped));
  return out;
}

std::string json_texts(const std::vector<std::string_view>& texts) {
  std::string out = "[";
  for (const std::string_view text : texts) out += (out.size() > 1 ? "," : "") + json_text(text);
  return out + "]";
}

std::string json_numbers(std::span<const std::uint64_t> numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

/// Only classes that torch does not put around plain tensors by itself.
void add_class(const Graph& graph, NodeId type, Description& description) {
  constexpr std::array<std::string_view, 6> kUsual = {"torch.Tensor",
                                                      "torch._tensor.Tensor",
                                                      "torch.nn.parameter.Parameter",
                                                      "torch.nn.parameter.Buffer",
                                                      "torch.nested._internal.nested_tensor.NestedTensor",
                                                      "torch.nn.Parameter"};
  if (kind_of(graph, type) != Kind::Global) return;
  const std::string name = class_name(graph, type);
  if (std::ranges::find(kUsual, name) != kUsual.end()) return;
  description.more.emplace_back("$class", json_text(name));
}

/// (dtype, size) of the calls that give them at `position` and behind.
void add_stated(const Subject& subject, const Recipe& recipe, std::size_t position,
                Description& description) {
  const auto arguments = find_sequence(subject.graph(), recipe.arguments);
  if (!arguments || arguments->size() < position + 2) return;
  description.dtype = get_element_type(subject, (*arguments)[position]).name;
  description.shape = parse_shape(subject, (*arguments)[position + 1], "its size");
}

Description describe_strided(const Subject& subject, const Operand& operand) {
  Description description;
  const std::string_view type = operand.type->name;
  const bool split = is_complex(*operand.type) && subject.options.split_complex;
  const bool unsaid = operand.type->dtype == DType::U8 && type != "uint8";
  if (split || unsaid || type == "complex32" || type == "bits16") description.dtype = type;
  if (split) description.more.emplace_back("$parts", json_texts({"real", "imag"}));
  return description;
}

Description describe_sparse(const Subject& subject, const Recipe& recipe) {
  const auto nodes = find_sparse(subject.graph(), recipe);
  if (!nodes) return {};
  const Operand values = parse_operand(subject, nodes->values, "values");
  Description description{.kind = nodes->layout,
                          .dtype = std::string(values.type->name),
                          .shape = parse_shape(subject, nodes->size, "its size"),
                          .more = {}};
  if (subject.options.sparse == SparsePolicy::Split) {
    const auto parts = sparse_parts(*nodes, "");
    std::vector<std::string_view> names;
    names.reserve(parts.size());
    for (const NamedTensor& part : parts) names.push_back(std::string_view(part.name).substr(1));
    description.more.emplace_back("$parts", json_texts(names));
  }
  if (nodes->coalesced) description.more.emplace_back("$coalesced", *nodes->coalesced ? "true" : "false");
  if (nodes->indices != kNoNode) {
    const Operand indices = parse_operand(subject, nodes->indices, "indices");
    if (!indices.shape.empty())
      description.more.emplace_back("$sparse_dim", fmt::to_string(indices.shape[0]));
  } else if (nodes->layout == "sparse_bsr" || nodes->layout == "sparse_bsc") {
    const std::size_t batch = parse_operand(subject, nodes->plain, "indices").shape.size();
    if (values.shape.size() >= batch + 2)
      description.more.emplace_back("$block", json_numbers(std::span(values.shape).subspan(batch, 2)));
  }
  return description;
}

Description describe_quantized(const Subject& subject, const Recipe& recipe) {
  const Graph& graph = subject.graph();
  const auto nodes = find_quantized(graph, recipe);
  if (!nodes) return {};
  Description description{.kind = nodes->scheme,
                          .dtype = std::string(get_storage(subject, nodes->storage).type->name),
                          .shape = parse_shape(subject, nodes->size, "its size"),
                          .more = {}};
  if (nodes->axis != kNoNode)
    description.more.emplace_back("$axis", fmt::to_string(find_integer(graph, nodes->axis).value_or(0)));
  if (subject.options.quantized == QuantizedPolicy::Split) {
    description.more.emplace_back("$beside", json_texts({"scale", "zero_point"}));
  } else if (nodes->axis == kNoNode) {
    std::string scale;
    std::string zero;
    append_json_scalar(scale, graph, nodes->scale, subject.options.limits);
    append_json_scalar(zero, graph, nodes->zero_point, subject.options.limits);
    description.more.emplace_back("$scale", scale);
    description.more.emplace_back("$zero_point", zero);
  }
  return description;
}

Description describe_jagged(const Subject& subject, const Recipe& recipe) {
  Description description{.kind = "jagged", .dtype = {}, .shape = std::nullopt, .more = {}};
  const auto parts = jagged_parts(subject, recipe);
  std::vector<std::string_view> names;
  names.reserve(parts.size());
  for (const NamedTensor& part : parts) names.push_back(std::string_view(part.name).substr(1));
  description.more.emplace_back("$parts", json_texts(names));
  const auto dict = find_sequence(subject.graph(), recipe.arguments)->front();
  if (const auto ragged = find_integer(subject.graph(), find_entry(subject.graph(), dict, "_ragged_idx")))
    description.more.emplace_back("$ragged_dim", fmt::to_string(*ragged));
  return description;
}

Description describe_nested(const Subject& subject, const Recipe& recipe) {
  return {.kind = "nested",
          .dtype = {},
          .shape = std::nullopt,
          .more = {{"$components", fmt::to_string(count_components(subject, recipe))}}};
}

Description describe_wrapper(const Subject& subject, const Recipe& recipe, std::string_view kind) {
  Description description{.kind = kind, .dtype = {}, .shape = std::nullopt, .more = {}};
  add_stated(subject, recipe, 1, description);
  return description;
}

Description describe(const Subject& subject, NodeId node) {
  const auto tensor = find_tensor(subject.document, node);
  if (!tensor) return {};
  const Recipe& recipe = tensor->recipe;
  switch (tensor->kind) {
    case TensorKind::Strided:
      return describe_strided(subject, parse_operand(subject, recipe));
    case TensorKind::Sparse:
      return describe_sparse(subject, recipe);
    case TensorKind::Quantized:
      return describe_quantized(subject, recipe);
    case TensorKind::Meta: {
      Description description{.kind = "meta", .dtype = {}, .shape = std::nullopt, .more = {}};
      add_stated(subject, recipe, 0, description);
      return description;
    }
    case TensorKind::Nested:
      return describe_nested(subject, recipe);
    case TensorKind::Jagged:
      return describe_jagged(subject, recipe);
    case TensorKind::Wrapper:
      return describe_wrapper(subject, recipe, "subclass");
    case TensorKind::Distributed:
      return describe_wrapper(subject, recipe, "dtensor");
    case TensorKind::Sharded:
      return describe_wrapper(subject, recipe, "sharded");
    default:
      return {};
  }
}

/// Nothing for tensors that contradict themselves: they are refused where they are rebuilt.
Description try_to_describe(const Document& document, NodeId node, const OpenOptions& options) {
  try {
    const Subject subject{document, options, {}};
    Description description = describe(subject, node);
    const auto tensor = find_tensor(document, node);
    if (tensor) add_class(document.graph, tensor->recipe.type, description);
    return description;
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

JsonMembers describe_tensor(const Document& document, pickle::NodeId node, const OpenOptions& options) {
  Description description = try_to_describe(document, node, options);
  JsonMembers members;
  if (!description.kind.empty()) members.emplace_back("$kind", json_text(description.kind));
  if (!description.dtype.empty()) members.emplace_back("$dtype", json_text(description.dtype));
  if (description.shape) members.emplace_back("$shape", json_numbers(*description.shape));
  for (auto& member : description.more) members.push_back(std::move(member));
  return members;
}

std::string describe_briefly(const Document& document, pickle::NodeId node) {
  const Description description = try_to_describe(document, node, OpenOptions{});
  std::string text(description.kind);
  if (text.empty()) return text;
  if (!description.dtype.empty()) text += " " + description.dtype;
  if (description.shape) text += " " + shape_text(*description.shape);
  return text;
}

}  // namespace weighbridge::torch
