// What Keras makes of an HDF5 file: which layout it is of, which datasets are weights, in which order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/hdf5/content.hpp"

namespace weighbridge::keras {

enum class Layout : std::uint8_t {
  None,           ///< Any HDF5 file.
  LegacyWeights,  ///< Of Keras 1 and 2, and of save_weights() of Keras 3 to .h5: the root holds the layers.
  LegacyModel,    ///< The same in a group model_weights, with the model's description beside it.
  Variables,      ///< Of Keras 3, .weights.h5: groups named vars, variables numbered.
};

Layout find_layout(const hdf5::Content& content);

/// "hdf5", "keras-h5" or "keras-weights".
std::string_view layout_name(Layout layout) noexcept;

/// The texts of an attribute that Keras splits where it is too long: `name`, or `name0`, `name1`, ... as far
/// as they go. An array of numbers without elements is what it writes for no texts.
/// Throws MalformedCheckpoint when it is anything else.
std::vector<std::string> list_attribute(const std::vector<hdf5::Attribute>& attributes,
                                        std::string_view name);

/// Puts the datasets into the order in which the layers are, as the attributes of a legacy file have it;
/// those that are not mentioned follow. Throws MalformedCheckpoint for a weight that is not there.
void order_by_layers(hdf5::Content& content, Layout layout);

/// Whether the dataset is the optimizer's, or a metric's: state of training, not of the model.
bool is_training_state(Layout layout, std::string_view path);

/// The group of the layers' weights with a slash behind it, or nothing for the root.
std::string_view weights_root(Layout layout) noexcept;

}  // namespace weighbridge::keras
