// Slices: numpy's basic indexing with steps of at least 1. weighbridge._index makes the rest of it.
#include <vector>

#include <weighbridge/slice.hpp>

#include "module.hpp"
#include "open_file.hpp"

namespace weighbridge::python {
namespace {

std::int64_t to_int(nb::handle value) {
  const nb::object index = nb::steal(PyNumber_Index(value.ptr()));
  if (!index.is_valid()) nb::raise_python_error();
  const long long number = PyLong_AsLongLong(index.ptr());
  if (number == -1 && PyErr_Occurred() != nullptr) nb::raise_python_error();
  return number;
}

// A bound beyond 64 bits is clamped, as Python's own are.
std::optional<std::int64_t> to_bound(nb::handle value) {
  if (value.is_none()) return std::nullopt;
  const Py_ssize_t bound = PyNumber_AsSsize_t(value.ptr(), nullptr);
  if (bound == -1 && PyErr_Occurred() != nullptr) nb::raise_python_error();
  return bound;
}

SliceIndex to_index(nb::handle item) {
  if (item.is(nb::handle(Py_Ellipsis))) return Ellipsis{};
  if (PySlice_Check(item.ptr()) == 0) return At{to_int(item)};
  const nb::object step = item.attr("step");
  return Range{.start = to_bound(item.attr("start")),
               .stop = to_bound(item.attr("stop")),
               .step = step.is_none() ? 1 : to_bound(step).value()};
}

std::vector<SliceIndex> to_slice(const nb::tuple& items) {
  std::vector<SliceIndex> slice;
  for (const nb::handle item : items) slice.push_back(to_index(item));
  return slice;
}

SlicePlan plan(const OpenFile& file, std::size_t i, const nb::tuple& items) {
  if (i >= file.header().size()) throw nb::index_error("no tensor has that number");
  const TensorInfo info = file.header()[i];
  return plan_slice(info.dtype, info.shape, to_slice(items));
}

Memory read_plan(const OpenFile& file, std::size_t i, const SlicePlan& plan) {
  if (plan.runs.total_bytes < kHoldGilBytes) return file.read_slice(i, plan);
  const nb::gil_scoped_release release;
  return file.read_slice(i, plan);
}

// (shape, bytes): in memory of its own.
nb::tuple read_slice(const OpenFile& file, std::size_t i, const nb::tuple& items) {
  const SlicePlan plan = python::plan(file, i, items);
  return nb::make_tuple(to_tuple(plan.shape), read_plan(file, i, plan));
}

// (shape, bytes): a part of `whole`, the tensor's bytes, where the slice is one range of them.
nb::tuple cut_slice(const OpenFile& file, std::size_t i, const nb::tuple& items, const Memory& whole) {
  const SlicePlan plan = python::plan(file, i, items);
  if (plan.runs.contiguous() && plan.runs.offset + plan.runs.total_bytes <= whole.size) {
    return nb::make_tuple(to_tuple(plan.shape), whole.part(plan.runs.offset, plan.runs.total_bytes));
  }
  return nb::make_tuple(to_tuple(plan.shape), read_plan(file, i, plan));
}

}  // namespace

void bind_slice(nb::module_& module) {
  module.def("read_slice", &read_slice, nb::arg("file"), nb::arg("number"), nb::arg("index"));
  module.def("cut_slice", &cut_slice, nb::arg("file"), nb::arg("number"), nb::arg("index"), nb::arg("whole"));
}

}  // namespace weighbridge::python
