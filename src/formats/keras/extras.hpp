// What a Keras or any other HDF5 file holds beside tensors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/hdf5/content.hpp"

namespace weighbridge::keras {

/// A text of the model that is a document of its own: its description, how it was trained.
struct ModelText {
  std::string name;  ///< In the sidecar: "config".
  std::string text;
};

/// Takes the attributes of `content`, those of `texts` but for their values, and describes what did not
/// become a tensor; `left_out` are tensors that were not taken. Null when there is nothing.
std::shared_ptr<const Extras> make_extras(const hdf5::Content& content, const std::vector<ModelText>& texts,
                                          const std::vector<TensorEntry>& left_out, const Limits& limits);

}  // namespace weighbridge::keras
