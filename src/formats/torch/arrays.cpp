#include "formats/torch/arrays.hpp"

#include <algorithm>
#include <variant>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/rebuild.hpp"
#include "formats/torch/recipe.hpp"

namespace weighbridge::torch {
namespace {

const Error* find_error(const Document& document, NodeId node) noexcept {
  const auto found = document.arrays.find(node);
  return found == document.arrays.end() ? nullptr : std::get_if<Error>(&found->second);
}

/// Why an array that is no tensor is none; empty for those that are and for objects and scalars.
std::string why_not_taken(const numpy::ArrayResult& result) {
  if (const Error* error = std::get_if<Error>(&result)) {
    return error->code() == ErrorCode::Unsupported ? error->what() : "";
  }
  const auto& array = std::get<numpy::Array>(result);
  if (array.scalar || array.items != kNoNode || numpy::holds_numbers(array)) return {};
  const auto& leaves = array.type->leaves;
  return fmt::format("{} holds {}", numpy::summary_of(array),
                     leaves.empty() ? "nothing" : numpy::kind_text(leaves.front().type));
}

/// An instance of a class that this reader knows nothing of and that is no module of torch's.
bool is_unknown_object(const Graph& graph, NodeId node) {
  return is_instance(graph, node) && callable_of(graph, node) == Constructor::None && !is_module(graph, node);
}

/// Whether arrays were found in such an object.
bool extracts_arrays(const Document& document, const Census& census) {
  for (NodeId node = 0; node < document.graph.size(); ++node) {
    if (census.below(node) > 0 && !is_tensor(document, node) && is_unknown_object(document.graph, node)) {
      return true;
    }
  }
  return false;
}

Finding info(std::string code, std::string message) {
  return {.severity = Severity::Info,
          .code = std::move(code),
          .message = std::move(message),
          .subject = {},
          .offset = std::nullopt};
}

}  // namespace

const numpy::Array* find_array(const Document& document, pickle::NodeId node) noexcept {
  const auto found = document.arrays.find(node);
  return found == document.arrays.end() ? nullptr : std::get_if<numpy::Array>(&found->second);
}

bool is_array_tensor(const Document& document, pickle::NodeId node) noexcept {
  if (const Error* error = find_error(document, node)) return error->code() != ErrorCode::Unsupported;
  const numpy::Array* array = find_array(document, node);
  if (array == nullptr || !numpy::holds_numbers(*array)) return false;
  return !array->scalar || node == document.root;
}

std::vector<TensorEntry> rebuild_array(const Document& document, pickle::NodeId node, const std::string& name,
                                       const OpenOptions& options) {
  try {
    if (const Error* error = find_error(document, node)) throw Error(*error);
    return numpy::tensors_of(*find_array(document, node), name, options);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("tensor '{}': {}", printable(name), error.what()), name);
  }
}

std::vector<Part> array_parts(const Document& document, const numpy::Array& array) {
  std::vector<Part> parts;
  if (array.items == kNoNode) return parts;
  for (const NodeId item : document.graph.items(array.items)) {
    parts.push_back({.role = Role::Item, .index = parts.size(), .value = strip_tags(document.graph, item)});
  }
  return parts;
}

bool holds_torch_tensors(const Document& document) {
  if (!document.storage_of.empty() || !document.table_tensors.empty()) return true;
  for (NodeId node = 0; node < document.graph.size(); ++node) {
    if (find_recipe(document.graph, node)) return true;
  }
  return false;
}

void report_arrays(const Document& document, const Census& census, const OpenOptions& options,
                   Findings& findings) {
  std::uint64_t count = 0;
  std::string first;
  for (const auto& [node, result] : document.arrays) {
    std::string reason = why_not_taken(result);
    if (reason.empty()) continue;
    if (count++ == 0) first = std::move(reason);
  }
  if (count > 0 && census.below(document.root) == 0 && !options.key) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("no array of the file holds numbers; the first: {}", first));
  }
  if (count > 0) {
    findings.push_back(
        info("ArraysNotTaken", fmt::format("{} numpy arrays are no tensors and kept among the other values; "
                                           "the first: {}",
                                           count, first)));
  }
  if (document.arrays.empty() || holds_torch_tensors(document) || !extracts_arrays(document, census)) return;
  findings.push_back(info("ArrayExtraction",
                          "the tensors are the numpy arrays found in objects of other libraries, named by "
                          "their attributes; this is no state dict"));
}

}  // namespace weighbridge::torch
