// What the buffer protocol calls the dtypes.
#pragma once

#include <optional>

#include <weighbridge/checkpoint.hpp>

#include "module.hpp"

namespace weighbridge::python {

/// What the elements of a buffer are, and what makes them little-endian.
struct ElementFormat {
  DType dtype = DType::F32;
  Transform transform = Transform::None;
};

/// Nothing for elements that the format has no dtype for, or whose dtype the buffer protocol cannot tell.
std::optional<ElementFormat> find_element_format(const Py_buffer& view);

}  // namespace weighbridge::python
