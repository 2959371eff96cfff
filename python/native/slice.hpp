// Indices of Python's as plans of the library's.
#pragma once

#include <cstddef>
#include <optional>

#include <weighbridge/slice.hpp>

#include "module.hpp"
#include "open_file.hpp"

namespace weighbridge::python {

/// The slice of the i-th tensor that an index, or a tuple of them, selects. Nothing for what is Python's
/// business: None, negative steps, bools, lists, arrays. Throws what plan_slice throws, and IndexError.
std::optional<SlicePlan> plan_index(const OpenFile& file, std::size_t i, nb::handle index);

}  // namespace weighbridge::python
