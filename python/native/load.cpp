// The class LoadPlan: tensors and slices of many files, loaded into memory of Python objects in one go.
#include "load.hpp"

#include <deque>
#include <vector>

#include <weighbridge/error.hpp>
#include <weighbridge/text.hpp>

#include <nanobind/stl/string_view.h>

#include "dlpack.hpp"
#include "open_file.hpp"
#include "slice.hpp"

namespace weighbridge::python {
namespace {

class LoadPlan {
 public:
  LoadPlan() = default;
  LoadPlan(const LoadPlan&) = delete;
  LoadPlan& operator=(const LoadPlan&) = delete;
  ~LoadPlan() {
    for (Py_buffer& view : buffers_) PyBuffer_Release(&view);
  }

  // Into an object with the buffer protocol; gives the shape, or None for an index that is not for here.
  nb::object add(const OpenFile& file, std::size_t number, nb::handle index, nb::handle destination) {
    const auto plan = plan_index(file, number, index);
    if (!plan) return nb::none();
    Py_buffer& view = buffers_.emplace_back();
    if (PyObject_GetBuffer(destination.ptr(), &view, PyBUF_CONTIG) != 0) {
      buffers_.pop_back();
      throw nb::python_error();
    }
    add_step(file, number, *plan, {static_cast<std::byte*>(view.buf), static_cast<std::size_t>(view.len)});
    return to_tuple(plan->shape);
  }

  // Into memory of `size` bytes at an address, which `owner` keeps alive.
  nb::object add_address(const OpenFile& file, std::size_t number, nb::handle index, std::uintptr_t address,
                         std::size_t size, const nb::object& owner) {
    const auto plan = plan_index(file, number, index);
    if (!plan) return nb::none();
    owners_.push_back(owner);
    // An address is all that a tensor gives. NOLINTNEXTLINE(performance-no-int-to-ptr)
    add_step(file, number, *plan, {reinterpret_cast<std::byte*>(address), size});
    return to_tuple(plan->shape);
  }

  // Into the memory of a DLPack capsule.
  nb::object add_dlpack(const OpenFile& file, std::size_t number, nb::handle index,
                        const nb::object& capsule) {
    const std::span<std::byte> out = dlpack_bytes(capsule);
    return add_address(file, number, index, reinterpret_cast<std::uintptr_t>(out.data()), out.size(),
                       capsule);
  }

  // Into memory that is made for it: (shape, memory). Where the slice is one range of `whole`, the tensor's
  // memory, it is that part of it, and nothing is to be loaded; the disk may start on it when all else is.
  nb::object make(const OpenFile& file, std::size_t number, nb::handle index, const Memory* whole) {
    const auto plan = plan_index(file, number, index);
    if (!plan) return nb::none();
    const ByteRuns& runs = plan->runs;
    if (whole != nullptr && runs.contiguous() && runs.offset + runs.total_bytes <= whole->size) {
      views_.push_back({file.source_ptr(), file.begin_of(number) + runs.offset, runs.total_bytes});
      return nb::make_tuple(to_tuple(plan->shape), whole->part(runs.offset, runs.total_bytes));
    }
    const Memory memory = allocate(runs.total_bytes);
    memory_.push_back(memory);
    add_step(file, number, *plan, memory.bytes());
    return nb::make_tuple(to_tuple(plan->shape), memory);
  }

  nb::tuple load(std::string_view mode, unsigned threads, bool io_uring, bool prefault,
                 std::uint64_t coalesce_gap, const nb::object& progress) const;

 private:
  struct View {
    SourcePtr source;
    std::uint64_t offset;
    std::uint64_t length;
  };

  void add_step(const OpenFile& file, std::size_t number, const SlicePlan& plan, std::span<std::byte> out) {
    ByteRuns runs = plan.runs;
    if (out.size() != runs.total_bytes) {
      throw Error(ErrorCode::InvalidArgument,
                  "tensor '" + printable(file.header()[number].name) +
                      "': " + std::to_string(runs.total_bytes) +
                      " bytes are to be loaded, the memory for them has " + std::to_string(out.size()),
                  std::string(file.header()[number].name));
    }
    runs.offset += file.begin_of(number);
    steps_.push_back({.source = file.source_ptr(), .runs = std::move(runs), .out = out});
  }

  std::vector<LoadStep> steps_;
  std::vector<View> views_;
  std::deque<Py_buffer> buffers_;
  std::vector<nb::object> owners_;
  std::vector<Memory> memory_;
};

nb::tuple LoadPlan::load(std::string_view mode, unsigned threads, bool io_uring, bool prefault,
                         std::uint64_t coalesce_gap, const nb::object& progress) const {
  LoadOptions options = interruptible_load();
  options.mode = load_mode_of(mode);
  options.threads = threads;
  options.io_uring = io_uring;
  options.prefault = prefault;
  options.coalesce_gap = coalesce_gap;
  options.large_pages = memory_.size() == steps_.size();  // all of it ours
  if (!progress.is_none()) {
    options.progress = [&progress](std::uint64_t done, std::uint64_t total) {
      const nb::gil_scoped_acquire acquire;
      progress(done, total);
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
    };
  }
  LoadReport report;
  {
    const nb::gil_scoped_release release;
    report = load_into(steps_, options);
    // Nobody waits for these yet; what the load waits for would stand behind them at the disk.
    for (const View& view : views_) view.source->expect(view.offset, view.length);
  }
  return to_tuple(report);
}

}  // namespace

LoadMode load_mode_of(std::string_view name) {
  for (const LoadMode mode : {LoadMode::Auto, LoadMode::View, LoadMode::Copy, LoadMode::Direct}) {
    if (load_mode_name(mode) == name) return mode;
  }
  throw Error(ErrorCode::InvalidArgument,
              "mode is 'auto', 'view', 'copy' or 'direct', found '" + printable(name) + "'");
}

LoadOptions interruptible_load() {
  LoadOptions options;
  options.progress = [](std::uint64_t, std::uint64_t) {
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  };
  return options;
}

nb::tuple to_tuple(const LoadReport& report) {
  const nb::list files = make_list(report.files.size(), [&](std::size_t i) {
    const LoadedFile& file = report.files[i];
    return nb::make_tuple(to_str(printable(file.name)), to_str(load_mode_name(file.mode)), to_str(file.why),
                          file.bytes_wanted, file.bytes_read, file.io_uring);
  });
  return nb::make_tuple(files, report.threads, report.seconds, to_str(describe(report)));
}

void bind_load(nb::module_& module) {
  nb::class_<LoadPlan>(module, "LoadPlan")
      .def(nb::init<>())
      .def("add", &LoadPlan::add, nb::arg("file"), nb::arg("number"), nb::arg("index").none(),
           nb::arg("destination"))
      .def("add_address", &LoadPlan::add_address, nb::arg("file"), nb::arg("number"), nb::arg("index").none(),
           nb::arg("address"), nb::arg("size"), nb::arg("owner"))
      .def("add_dlpack", &LoadPlan::add_dlpack, nb::arg("file"), nb::arg("number"), nb::arg("index").none(),
           nb::arg("capsule"))
      .def("make", &LoadPlan::make, nb::arg("file"), nb::arg("number"), nb::arg("index").none(),
           nb::arg("whole").none() = nb::none())
      .def("load", &LoadPlan::load, nb::arg("mode") = "auto", nb::arg("threads") = 0,
           nb::arg("io_uring") = true, nb::arg("prefault") = true, nb::arg("coalesce_gap") = 65536,
           nb::arg("progress").none() = nb::none());
  module.def("kept_memory", [] { return nb::make_tuple(pool().keep(), pool().kept()); });
  module.def("set_kept_memory", [](std::uint64_t bytes) { pool().set_keep(bytes); }, nb::arg("size"));
}

}  // namespace weighbridge::python
