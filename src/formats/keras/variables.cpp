#include "formats/keras/variables.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include <fmt/format.h>

namespace weighbridge::keras {
namespace {

/// A variable that a layer has, if that option is on.
struct Variable {
  std::string_view name;
  std::string_view option = {};
};

struct Kind {
  std::string_view type;
  std::array<Variable, 4> variables;
};

constexpr std::array kKinds = {
    Kind{"BatchNormalization",
         {Variable{"gamma", "scale"}, {"beta", "center"}, {"moving_mean", {}}, {"moving_variance", {}}}},
    Kind{"LayerNormalization", {Variable{"gamma", "scale"}, {"beta", "center"}}},
    Kind{"GroupNormalization", {Variable{"gamma", "scale"}, {"beta", "center"}}},
    Kind{"RMSNormalization", {Variable{"scale", {}}}},
    Kind{"UnitNormalization", {}},
    Kind{"SpectralNormalization", {Variable{"vector_u", {}}}},
    Kind{"Normalization", {Variable{"mean", {}}, {"variance", {}}, {"count", {}}}},
    Kind{"Embedding", {Variable{"embeddings", {}}}},
    Kind{"PReLU", {Variable{"alpha", {}}}},
    Kind{"Attention", {Variable{"scale", "use_scale"}, {"concat_score_weight", {}}}},
    Kind{"AdditiveAttention", {Variable{"scale", "use_scale"}}},
    Kind{"SeparableConv1D",
         {Variable{"depthwise_kernel", {}}, {"pointwise_kernel", {}}, {"bias", "use_bias"}}},
    Kind{"SeparableConv2D",
         {Variable{"depthwise_kernel", {}}, {"pointwise_kernel", {}}, {"bias", "use_bias"}}},
    Kind{"SeedGenerator", {Variable{"seed_generator_state", {}}}},
};

/// A kernel and a bias.
constexpr std::array<std::string_view, 11> kPlain = {"Dense",
                                                     "EinsumDense",
                                                     "Conv1D",
                                                     "Conv2D",
                                                     "Conv3D",
                                                     "Conv1DTranspose",
                                                     "Conv2DTranspose",
                                                     "Conv3DTranspose",
                                                     "DepthwiseConv1D",
                                                     "DepthwiseConv2D",
                                                     "LocallyConnected1D"};

constexpr Kind kPlainKind{"", {Variable{"kernel", {}}, {"bias", "use_bias"}}};

constexpr Kind kCell{"", {Variable{"kernel", {}}, {"recurrent_kernel", {}}, {"bias", "use_bias"}}};

constexpr std::array<std::string_view, 6> kRecurrent = {"LSTM",       "GRU",        "SimpleRNN",
                                                        "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"};

bool is_cell(std::string_view type) {
  constexpr std::string_view kCellSuffix = "Cell";
  return type.ends_with(kCellSuffix) &&
         std::ranges::find(kRecurrent, type.substr(0, type.size() - kCellSuffix.size())) != kRecurrent.end();
}

const Kind* find_kind(std::string_view type) {
  if (std::ranges::find(kPlain, type) != kPlain.end()) return &kPlainKind;
  if (is_cell(type)) return &kCell;
  const auto found = std::ranges::find(kKinds, type, &Kind::type);
  return found == kKinds.end() ? nullptr : &*found;
}

}  // namespace

std::string variable_name(std::string_view type, std::string_view number, const Options& options) {
  const Kind* kind = find_kind(type);
  std::size_t left = 0;
  const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), left);
  if (kind == nullptr || status != std::errc() || end != number.data() + number.size())
    return std::string(number);
  for (const Variable& variable : kind->variables) {
    if (variable.name.empty()) break;
    if (!variable.option.empty() && !options(variable.option)) continue;
    if (left-- == 0) return std::string(variable.name);
  }
  return std::string(number);
}

std::string part_type(std::string_view type, std::string_view part) {
  const bool recurrent = std::ranges::find(kRecurrent, type) != kRecurrent.end();
  if (part == "cell" && recurrent) return fmt::format("{}Cell", type);
  if (part.ends_with("_dense") && type.ends_with("Attention")) return "EinsumDense";
  if (part == "seed_generator") return "SeedGenerator";
  return {};
}

}  // namespace weighbridge::keras
