#include "plain_arrays.hpp"

#include <algorithm>
#include <utility>

#include "buffer_format.hpp"

namespace weighbridge::python {
namespace {

/// How an array begins, in every numpy since 1.7: its headers read these fields where they are used, so that
/// they cannot move without all extension modules being compiled again.
struct ArrayFields {
  PyObject head;
  const std::byte* data;
  int rank;
  const Py_ssize_t* shape;
  const Py_ssize_t* strides;
  PyObject* base;
  PyObject* descriptor;
  int flags;
};

constexpr int kContiguous = 1;  // NPY_ARRAY_C_CONTIGUOUS

const ArrayFields& fields_of(nb::handle array) { return *reinterpret_cast<const ArrayFields*>(array.ptr()); }

bool agree(const ArrayFields& fields, const Py_buffer& view) {
  return fields.data == view.buf && fields.rank == view.ndim && (fields.flags & kContiguous) != 0 &&
         std::equal(view.shape, view.shape + view.ndim, fields.shape) &&
         std::equal(view.strides, view.strides + view.ndim, fields.strides);
}

}  // namespace

PlainArrays::PlainArrays(nb::object type, nb::list samples)
    : type_(std::move(type)), samples_(std::move(samples)) {
  for (const nb::handle sample : samples_) learn(sample);
}

void PlainArrays::learn(nb::handle sample) {
  Py_buffer view{};
  if (PyObject_GetBuffer(sample.ptr(), &view, PyBUF_FORMAT | PyBUF_STRIDES) != 0) nb::raise_python_error();
  const auto format = find_element_format(view);
  if (format && format->transform == Transform::None && agree(fields_of(sample), view)) {
    known_.push_back({.descriptor = fields_of(sample).descriptor,
                      .dtype = format->dtype,
                      .width = static_cast<std::size_t>(view.itemsize)});
  }
  PyBuffer_Release(&view);
}

std::optional<PlainArray> PlainArrays::find(nb::handle array) const noexcept {
  if (known_.empty() || static_cast<nb::handle>(array.type()).ptr() != type_.ptr()) return std::nullopt;
  const ArrayFields& fields = fields_of(array);
  const auto known = std::ranges::find(known_, fields.descriptor, &Known::descriptor);
  if (known == known_.end() || (fields.flags & kContiguous) == 0) return std::nullopt;
  // Dimensions of an array are not negative, and its bytes were allocated.
  const std::span shape(reinterpret_cast<const std::uint64_t*>(fields.shape),
                        static_cast<std::size_t>(fields.rank));
  std::size_t bytes = known->width;
  for (const std::uint64_t extent : shape) bytes *= extent;
  return PlainArray{.dtype = known->dtype, .shape = shape, .bytes = {fields.data, bytes}};
}

}  // namespace weighbridge::python
