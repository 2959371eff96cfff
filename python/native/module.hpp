// The parts of the native module: each file binds its own, module.cpp calls them all.
//
// The module is thin: it turns Python's arguments into the library's and back. What can be Python
// is Python. Its state is the memory pool, which any thread may use, and where Python has a global
// interpreter lock, what object_pages.hpp lends to Python. So it needs no such lock.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <weighbridge/tensor.hpp>

#include <nanobind/nanobind.h>

namespace weighbridge::python {

namespace nb = nanobind;

/// Below this many bytes a copy is shorter than handing the interpreter to other threads and back.
inline constexpr std::size_t kHoldGilBytes = std::size_t{32} * 1024;

/// A str of valid UTF-8.
nb::str to_str(std::string_view text);

/// A list of `size` places, all of which fill_list fills.
inline nb::list new_list(std::size_t size) {
  const nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(size)));
  if (!list.is_valid()) nb::raise_python_error();
  return nb::borrow<nb::list>(list);
}

/// Puts `make(i)` at each place: several times faster than appending.
template <typename Make>
void fill_list(nb::handle list, std::size_t size, const Make& make) {
  for (std::size_t i = 0; i < size; ++i) {
    nb::object item = make(i);
    PyList_SetItem(list.ptr(), static_cast<Py_ssize_t>(i), item.release().ptr());
  }
}

/// A list of `size` objects, each made by `make(i)`.
template <typename Make>
nb::list make_list(std::size_t size, const Make& make) {
  nb::list list = new_list(size);
  fill_list(list, size, make);
  return list;
}

/// A tuple of ints.
nb::tuple to_tuple(std::span<const std::uint64_t> shape);

void bind_errors(nb::module_& module);
void bind_memory(nb::module_& module);
void bind_file(nb::module_& module);
void bind_shards(nb::module_& module);
void bind_arena(nb::module_& module);
void bind_load(nb::module_& module);
void bind_slice(nb::module_& module);
void bind_dlpack(nb::module_& module);
void bind_write(nb::module_& module);
void bind_writer(nb::module_& module);
void bind_edit(nb::module_& module);

}  // namespace weighbridge::python
