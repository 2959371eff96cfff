// HDF5 types as dtypes.
#pragma once

#include <optional>

#include <weighbridge/checkpoint.hpp>

#include "formats/hdf5/content.hpp"

namespace weighbridge::hdf5 {

/// How the elements of a dataset become those of a tensor.
struct Element {
  DType dtype = DType::F32;
  Transform transform = Transform::None;
  bool in_pairs = false;  ///< complex128: two of `dtype`, which has no dtype of its own.
};

/// Nothing for types that safetensors cannot hold. `dtype_text` is the attribute "dtype", by which Keras
/// says that 2 opaque bytes are a bfloat16.
std::optional<Element> find_element(const Type& type, std::optional<std::string_view> dtype_text);

}  // namespace weighbridge::hdf5
