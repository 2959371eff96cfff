// Slices: numpy's basic indexing of forward steps; weighbridge._index makes the rest of it.
#include "slice.hpp"

#include <optional>
#include <vector>

#include <weighbridge/slice.hpp>

#include "module.hpp"
#include "open_file.hpp"

namespace weighbridge::python {
namespace {

// A bound beyond 64 bits is clamped, as Python's own are.
std::optional<std::int64_t> to_bound(nb::handle value) {
  if (value.is_none()) return std::nullopt;
  const Py_ssize_t bound = PyNumber_AsSsize_t(value.ptr(), nullptr);
  if (bound == -1 && PyErr_Occurred() != nullptr) nb::raise_python_error();
  return bound;
}

// Raises IndexError beyond 64 bits.
std::int64_t to_position(nb::handle value) {
  const Py_ssize_t position = PyNumber_AsSsize_t(value.ptr(), PyExc_IndexError);
  if (position == -1 && PyErr_Occurred() != nullptr) nb::raise_python_error();
  return position;
}

// Nothing for a step that is not forwards.
std::optional<SliceIndex> to_range(nb::handle item) {
  const std::int64_t step = to_bound(item.attr("step")).value_or(1);
  if (step < 1) return std::nullopt;
  return Range{.start = to_bound(item.attr("start")), .stop = to_bound(item.attr("stop")), .step = step};
}

// Nothing for what is Python's business: None, negative steps, bools, lists, arrays.
std::optional<SliceIndex> to_index(nb::handle item) {
  if (PySlice_Check(item.ptr()) != 0) return to_range(item);
  if (item.is(nb::handle(Py_Ellipsis))) return Ellipsis{};
  if (PyLong_CheckExact(item.ptr()) != 0) return At{to_position(item)};
  return std::nullopt;
}

// One index, or a tuple of them.
std::optional<std::vector<SliceIndex>> to_slice(nb::handle index) {
  const nb::tuple items =
      nb::isinstance<nb::tuple>(index) ? nb::borrow<nb::tuple>(index) : nb::make_tuple(index);
  std::vector<SliceIndex> slice;
  for (const nb::handle item : items) {
    const auto one = to_index(item);
    if (!one) return std::nullopt;
    slice.push_back(*one);
  }
  return slice;
}

}  // namespace

std::optional<SlicePlan> plan_index(const OpenFile& file, std::size_t i, nb::handle index) {
  if (i >= file.header().size()) throw nb::index_error("no tensor has that number");
  const auto slice = to_slice(index);
  if (!slice) return std::nullopt;
  const TensorInfo info = file.header()[i];
  return plan_slice(info.dtype, info.shape, *slice);
}

namespace {

Memory read_plan(const OpenFile& file, std::size_t i, const SlicePlan& plan) {
  if (plan.runs.total_bytes < kHoldGilBytes) return file.read_slice(i, plan);
  const nb::gil_scoped_release release;
  return file.read_slice(i, plan);
}

// (shape, bytes), in memory of its own; None for an index that is not for here.
nb::object read_slice(const OpenFile& file, std::size_t i, nb::handle index) {
  const auto plan = plan_index(file, i, index);
  if (!plan) return nb::none();
  return nb::make_tuple(to_tuple(plan->shape), read_plan(file, i, *plan));
}

// The same, but a part of `whole`, the tensor's bytes, where the slice is one range of them.
nb::object cut_slice(const OpenFile& file, std::size_t i, nb::handle index, const Memory& whole) {
  const auto plan = plan_index(file, i, index);
  if (!plan) return nb::none();
  const ByteRuns& runs = plan->runs;
  if (runs.contiguous() && runs.offset + runs.total_bytes <= whole.size) {
    file.expect(i, runs.offset, runs.total_bytes);
    return nb::make_tuple(to_tuple(plan->shape), whole.part(runs.offset, runs.total_bytes));
  }
  return nb::make_tuple(to_tuple(plan->shape), read_plan(file, i, *plan));
}

}  // namespace

void bind_slice(nb::module_& module) {
  module.def("read_slice", &read_slice, nb::arg("file"), nb::arg("number"), nb::arg("index").none());
  module.def("cut_slice", &cut_slice, nb::arg("file"), nb::arg("number"), nb::arg("index").none(),
             nb::arg("whole"));
}

}  // namespace weighbridge::python
