#include "tensors.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <weighbridge/error.hpp>
#include <weighbridge/text.hpp>

#include "buffer_format.hpp"

namespace weighbridge::python {
namespace {

// Of an array: up to here its bytes are copied with less work than a reference to it, which writes into it.
constexpr std::size_t kSmall = 256;

/// The dimensions of a view are not negative.
std::span<const std::uint64_t> unsigned_span(const Py_ssize_t* numbers, int count) {
  return {reinterpret_cast<const std::uint64_t*>(numbers), static_cast<std::size_t>(count)};
}

bool goes_backwards(const Py_buffer& view) {
  return view.strides != nullptr &&
         std::any_of(view.strides, view.strides + view.ndim, [](Py_ssize_t stride) { return stride < 0; });
}

std::uint64_t to_unsigned(nb::handle number) {
  const nb::object index = nb::steal(PyNumber_Index(number.ptr()));
  if (!index.is_valid()) throw nb::python_error();
  const std::uint64_t value = PyLong_AsUnsignedLongLong(index.ptr());
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
  return value;
}

std::string subject(std::string_view name) { return "tensor '" + printable(name) + "': "; }

std::uint64_t needed_bytes(std::string_view name, DType dtype, const Shape& shape) {
  try {
    return byte_size(dtype, shape);
  } catch (const Error& error) {
    throw Error(error.code(), subject(name) + error.what(), std::string(name));
  }
}

void check_size(std::string_view name, DType dtype, const Shape& shape, std::uint64_t size) {
  const std::uint64_t needed = needed_bytes(name, dtype, shape);
  if (needed == size) return;
  throw Error(ErrorCode::TensorInvalidInfo,
              subject(name) + std::to_string(size) + " bytes were given, " + std::string(dtype_name(dtype)) +
                  " " + shape_text(shape) + " needs " + std::to_string(needed),
              std::string(name));
}

}  // namespace

std::string_view text_of(nb::handle text) {
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (utf8 == nullptr) throw nb::python_error();
  return {utf8, static_cast<std::size_t>(size)};
}

DType dtype_of(std::string_view code) {
  if (const auto dtype = find_dtype(code)) return *dtype;
  throw Error(ErrorCode::InvalidArgument, "no dtype is called '" + printable(code) + "'");
}

Shape shape_of(const nb::object& numbers) {
  Shape shape;
  for (const nb::handle number : numbers) shape.push_back(to_unsigned(number));
  return shape;
}

Tensors::~Tensors() {
  for (Py_buffer& buffer : buffers_) PyBuffer_Release(&buffer);
}

void Tensors::add_arrays(const nb::dict& arrays, const PlainArrays& plain, const nb::callable& adapt) {
  items_.reserve(items_.size() + arrays.size());
  const std::size_t first = owners_.size();
  keep_others(arrays, plain);
  const std::size_t end = owners_.size();
  for (std::size_t at = first; at < end; at += 2) {
    const nb::object name = owners_[at];
    const nb::object value = owners_[at + 1];
    // The memory of a plain array lives as long as the array; what another type exports may be made for it.
    const Export export_for = value.type().is(plain.type()) ? Export::Now : Export::Life;
    const bool is_array = PyUnicode_Check(name.ptr()) && nb::isinstance(value, plain.type());
    if (is_array && add_array(text_of(name), value, export_for)) continue;
    const nb::object adapted = adapt(name, value);
    add(nb::borrow<nb::str>(name), text_of(nb::object(adapted[0])), adapted[1], adapted[2]);
  }
}

void Tensors::keep_others(const nb::dict& arrays, const PlainArrays& plain) {
  // Nothing in here lets another thread change the dictionary, so that what it holds need not be kept.
  const nb::ft_object_guard guard(arrays);
  PyObject* name = nullptr;
  PyObject* value = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(arrays.ptr(), &at, &name, &value) != 0;) {
    if (add_copy(name, plain.find(value))) continue;
    owners_.push_back(nb::borrow(name));
    owners_.push_back(nb::borrow(value));
  }
}

bool Tensors::add_copy(nb::handle name, const std::optional<PlainArray>& array) {
  if (!array || array->bytes.size() > kSmall || !PyUnicode_CheckExact(name.ptr())) return false;
  const std::string_view text = text_of(name);
  const std::byte* copy = copy_of(std::as_bytes(std::span(text)));
  Item item =
      make_item({reinterpret_cast<const char*>(copy), text.size()}, array->dtype, copy_of(array->bytes));
  item.rank = array->shape.size();
  dims_.insert(dims_.end(), array->shape.begin(), array->shape.end());
  items_.push_back(item);
  return true;
}

const std::byte* Tensors::copy_of(std::span<const std::byte> bytes) {
  auto* const copy = static_cast<std::byte*>(copies_.allocate(bytes.size(), 1));
  std::ranges::copy(bytes, copy);
  return copy;
}

bool Tensors::add_array(std::string_view name, nb::handle array, Export export_for) {
  Py_buffer now{};
  Py_buffer& view = export_for == Export::Now ? now : buffers_.emplace_back();
  const bool exported = PyObject_GetBuffer(array.ptr(), &view, PyBUF_FORMAT | PyBUF_STRIDES) == 0;
  if (!exported) PyErr_Clear();
  const bool added = exported && add_view(name, view);
  if (exported && (!added || export_for == Export::Now)) PyBuffer_Release(&view);
  if (!added && export_for == Export::Life) buffers_.pop_back();
  return added;
}

bool Tensors::add_view(std::string_view name, const Py_buffer& view) {
  const auto format = find_element_format(view);
  const bool contiguous = PyBuffer_IsContiguous(&view, 'C') != 0;
  if (!format || (!contiguous && goes_backwards(view))) return false;
  Item item = make_item(name, format->dtype, static_cast<const std::byte*>(view.buf));
  item.rank = static_cast<std::size_t>(view.ndim);
  item.transform = format->transform;
  item.strided = !contiguous;
  const auto shape = unsigned_span(view.shape, view.ndim);
  dims_.insert(dims_.end(), shape.begin(), shape.end());
  if (item.strided) {
    const auto strides = unsigned_span(view.strides, view.ndim);
    dims_.insert(dims_.end(), strides.begin(), strides.end());
  }
  items_.push_back(item);
  return true;
}

void Tensors::add(const nb::str& name, std::string_view dtype, const nb::object& shape,
                  const nb::object& data) {
  Py_buffer& view = buffers_.emplace_back();
  if (PyObject_GetBuffer(data.ptr(), &view, PyBUF_C_CONTIGUOUS) != 0) {
    buffers_.pop_back();
    throw nb::python_error();
  }
  owners_.push_back(name);
  add_item(text_of(name), dtype, shape, static_cast<const std::byte*>(view.buf),
           static_cast<std::uint64_t>(view.len));
}

void Tensors::add_address(const nb::str& name, std::string_view dtype, const nb::object& shape,
                          std::uintptr_t address, std::uint64_t size, const nb::object& strides,
                          const nb::object& owner) {
  // An address is all that a tensor gives. NOLINTNEXTLINE(performance-no-int-to-ptr)
  const auto* first = reinterpret_cast<const std::byte*>(address);
  owners_.push_back(name);
  owners_.push_back(owner);
  if (strides.is_none()) return add_item(text_of(name), dtype, shape, first, size);
  Item item = make_item(text_of(name), dtype_of(dtype), first);
  append_dims(shape);
  item.rank = dims_.size() - item.dims_at;
  item.strided = true;
  append_dims(strides);
  if (dims_.size() != item.dims_at + 2 * item.rank) {
    throw Error(ErrorCode::InvalidArgument,
                subject(item.name) + "shape and strides have different numbers of dimensions");
  }
  items_.push_back(item);
}

void Tensors::add_item(std::string_view name, std::string_view dtype, const nb::object& shape,
                       const std::byte* first, std::uint64_t size) {
  const Shape sizes = shape_of(shape);
  Item item = make_item(name, dtype_of(dtype), first);
  check_size(name, item.dtype, sizes, size);
  item.rank = sizes.size();
  dims_.insert(dims_.end(), sizes.begin(), sizes.end());
  items_.push_back(item);
}

Tensors::Item Tensors::make_item(std::string_view name, DType dtype, const std::byte* first) const {
  return {.name = name, .first = first, .dims_at = dims_.size(), .dtype = dtype};
}

void Tensors::append_dims(const nb::object& numbers) {
  for (const nb::handle number : numbers) dims_.push_back(to_unsigned(number));
}

std::span<const std::uint64_t> Tensors::shape(const Item& item) const {
  return std::span(dims_).subspan(item.dims_at, item.rank);
}

std::span<const std::uint64_t> Tensors::strides(const Item& item) const {
  return item.strided ? std::span(dims_).subspan(item.dims_at + item.rank, item.rank)
                      : std::span<const std::uint64_t>();
}

std::pmr::vector<BorrowedTensor> Tensors::borrowed() const {
  std::pmr::vector<BorrowedTensor> tensors(&large_page_memory());
  tensors.reserve(items_.size());
  for (const Item& item : items_) {
    tensors.push_back({.name = item.name,
                       .dtype = item.dtype,
                       .shape = shape(item),
                       .first = item.first,
                       .strides = strides(item),
                       .transform = item.transform});
  }
  return tensors;
}

}  // namespace weighbridge::python
