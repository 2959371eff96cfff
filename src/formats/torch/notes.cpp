#include "formats/torch/notes.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/quantized.hpp"
#include "formats/torch/tensor_kind.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::size_t kMostNames = 100;

bool is_meta(const Document& document, const NamedTensor& tensor) {
  const auto found = find_tensor(document, tensor.node);
  return found && found->kind == TensorKind::Meta;
}

std::string names_text(const std::vector<NamedTensor>& tensors) {
  std::string text;
  for (std::size_t i = 0; i < std::min(tensors.size(), kMostNames); ++i) {
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable(tensors[i].name));
  }
  if (tensors.size() > kMostNames) text += fmt::format(" and {} more", tensors.size() - kMostNames);
  return text;
}

/// The dtype that a view names apart from its storage, if its elements have no dtype of their own here.
std::string_view raw_type(const Graph& graph, const TensorNode& tensor) {
  if (tensor.kind != TensorKind::Strided || tensor.recipe.function != Constructor::RebuildTensorV3) return {};
  const auto arguments = find_sequence(graph, tensor.recipe.arguments);
  if (!arguments || arguments->size() < 7 || kind_of(graph, (*arguments)[6]) != Kind::Global) return {};
  const std::string_view name = graph.name((*arguments)[6]);
  const bool small = (name.starts_with("int") && name.size() == 4 && name != "int8") ||
                     (name.starts_with("uint") && name.size() == 5 && name != "uint8");
  return small || name.starts_with("bits") ? name : std::string_view{};
}

/// A scale in the pickle that is zero, negative, infinite or no number.
bool has_odd_scale(const Graph& graph, const TensorNode& tensor) {
  if (tensor.kind != TensorKind::Quantized) return false;
  const auto nodes = find_quantized(graph, tensor.recipe);
  if (!nodes || kind_of(graph, nodes->scale) != Kind::Float) return false;
  const double scale = graph.real(nodes->scale);
  return !std::isfinite(scale) || scale <= 0;
}

}  // namespace

void leave_out_meta(const Document& document, std::vector<NamedTensor>& tensors, const OpenOptions& options,
                    Findings& findings) {
  std::vector<NamedTensor> without_data;
  std::ranges::copy_if(tensors, std::back_inserter(without_data),
                       [&](const NamedTensor& tensor) { return is_meta(document, tensor); });
  if (without_data.empty()) return;
  const std::string names = names_text(without_data);
  if (!options.skip_meta) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("{} meta tensors have no data (--skip-meta leaves them out): {}",
                            without_data.size(), names),
                without_data.front().name);
  }
  std::erase_if(tensors, [&](const NamedTensor& tensor) { return is_meta(document, tensor); });
  findings.push_back(
      {.severity = Severity::Warning,
       .code = "MetaTensors",
       .message = fmt::format("{} tensors without data are left out: {}", without_data.size(), names),
       .subject = without_data.front().name});
}

void report_tensors(const Document& document, const std::vector<NamedTensor>& tensors, const Limits& limits,
                    Findings& findings) {
  std::uint64_t reported = 0;
  for (const NamedTensor& named : tensors) {
    const auto tensor = find_tensor(document, named.node);
    if (!tensor || reported >= limits.findings) continue;
    const std::string_view raw = raw_type(document.graph, *tensor);
    if (!raw.empty()) {
      findings.push_back({.severity = Severity::Info,
                          .code = "RawIntegers",
                          .message = fmt::format("tensor '{}': {} is kept as the bytes that torch stores",
                                                 printable(named.name), raw),
                          .subject = named.name});
    }
    const bool odd = has_odd_scale(document.graph, *tensor);
    if (odd) {
      findings.push_back(
          {.severity = Severity::Warning,
           .code = "OddScale",
           .message = fmt::format("tensor '{}': its scale is not a positive number", printable(named.name)),
           .subject = named.name});
    }
    if (odd || !raw.empty()) ++reported;
  }
}

}  // namespace weighbridge::torch
