// Names for people: the layers' own names, and what Keras calls the variables of each kind of layer.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "formats/json/document.hpp"
#include "formats/keras/layout.hpp"

namespace weighbridge::keras {

/// "model_weights/dense_1/dense_1/kernel:0" as "dense_1.kernel".
std::string pretty_legacy_name(std::string_view path, Layout layout);

/// "layers/dense_1/vars/0" as "dense_1.kernel" (by whatever name the layer has), by the description of the
/// model. Parts of which it says nothing keep their names and numbers. Linear in the description for the
/// first path within each model, and in the path for all others.
class VariableNames {
 public:
  /// Borrows the description, which may be that of anything.
  explicit VariableNames(const json::Document& config) : config_(config) {}

  [[nodiscard]] std::string name(std::string_view path);

 private:
  struct Place;
  using Layers = std::map<std::string, json::Node, std::less<>>;

  const Layers& layers_of(json::Node model);
  void step(Place& place, std::string_view part);

  const json::Document& config_;
  std::map<json::Node, Layers> layers_;
};

/// Keras' way from a class to the name of its group: "Conv2DTranspose" becomes "conv2d_transpose".
std::string to_snake_case(std::string_view name);

}  // namespace weighbridge::keras
