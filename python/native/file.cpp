// The class File: opening, and what a header tells.
#include <array>
#include <filesystem>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/text.hpp>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>

#include "module.hpp"
#include "object_pages.hpp"
#include "open_file.hpp"

namespace weighbridge::python {
namespace {

ReadMode mode_of(bool mapped) { return mapped ? ReadMode::Auto : ReadMode::Positional; }

OpenFile open_path(const std::filesystem::path& path, bool mapped) {
  const nb::gil_scoped_release release;
  return OpenFile(open_file(path, mode_of(mapped)));
}

OpenFile open_fd(int descriptor, bool mapped) {
  const nb::gil_scoped_release release;
  return OpenFile(open_descriptor(descriptor, mode_of(mapped)));
}

// Holds a Python object's buffer. The last owner may be a thread that knows nothing of Python.
class PythonBuffer {
 public:
  explicit PythonBuffer(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) nb::raise_python_error();
  }
  PythonBuffer(const PythonBuffer&) = delete;
  PythonBuffer& operator=(const PythonBuffer&) = delete;
  ~PythonBuffer() {
    if (!nb::is_alive()) return;  // the interpreter took the object with it
    const nb::gil_scoped_acquire acquire;
    PyBuffer_Release(&view_);
  }

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(view_.buf), static_cast<std::size_t>(view_.len)};
  }

 private:
  Py_buffer view_{};
};

OpenFile open_buffer(nb::handle object) {
  const auto buffer = std::make_shared<PythonBuffer>(object);
  const nb::gil_scoped_release release;
  return OpenFile(memory_source(Buffer(buffer->bytes(), buffer)));
}

// A list of the texts that `text_of(i)` gives.
template <typename TextOf>
nb::list make_strs(std::size_t size, const TextOf& text_of) {
  nb::list list = new_list(size);
  const ObjectPages pages(size);
  fill_list(list, size, [&](std::size_t i) { return to_str(text_of(i)); });
  return list;
}

nb::list offset_names(const OpenFile& file) {
  return make_strs(file.header().size(), [&](std::size_t i) { return file.header().name(i); });
}

std::pmr::vector<std::string_view> sorted_names(const OpenFile& file) {
  const nb::gil_scoped_release release;
  return file.header().sorted_names();
}

// By code point, as Python sorts. A name on its way to a str lies nowhere near the one before it.
nb::list names(const OpenFile& file) {
  constexpr std::size_t kAhead = 8;
  const auto names = sorted_names(file);
  return make_strs(names.size(), [&](std::size_t i) {
    if (i + kAhead < names.size()) __builtin_prefetch(names[i + kAhead].data());
    return names[i];
  });
}

nb::object metadata(const OpenFile& file) {
  if (!file.header().has_metadata()) return nb::none();
  nb::dict metadata;
  for (std::size_t i = 0; i < file.header().metadata_size(); ++i) {
    const auto [key, value] = file.header().metadata_at(i);
    metadata[to_str(key)] = to_str(value);
  }
  return metadata;
}

// The dtypes that occur.
nb::list codes(const OpenFile& file) {
  std::array<bool, kDTypeCount> found{};
  for (std::size_t i = 0; i < file.header().size(); ++i) {
    found[static_cast<std::size_t>(file.header()[i].dtype)] = true;
  }
  nb::list codes;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) codes.append(to_str(dtype_name(static_cast<DType>(i))));
  }
  return codes;
}

void check_index(const OpenFile& file, std::size_t i) {
  if (i >= file.header().size()) throw nb::index_error("no tensor has that number");
}

nb::tuple info(const OpenFile& file, std::size_t i) {
  check_index(file, i);
  const TensorInfo info = file.header()[i];
  return nb::make_tuple(to_str(info.name), to_str(dtype_name(info.dtype)), to_tuple(info.shape), info.begin,
                        info.end);
}

// (dtype, shape): what it takes to make sense of the bytes.
nb::tuple spec(const OpenFile& file, std::size_t i) {
  check_index(file, i);
  const TensorInfo info = file.header()[i];
  return nb::make_tuple(to_str(dtype_name(info.dtype)), to_tuple(info.shape));
}

// All tensors as (name, dtype, shape), in order of their offsets. Equal dtypes are one str.
nb::list table(const OpenFile& file) {
  const nb::list names =
      make_list(kDTypeCount, [](std::size_t i) { return to_str(dtype_name(static_cast<DType>(i))); });
  return make_list(file.header().size(), [&](std::size_t i) {
    const TensorInfo info = file.header()[i];
    return nb::make_tuple(to_str(info.name), names[static_cast<std::size_t>(info.dtype)],
                          to_tuple(info.shape));
  });
}

Memory view(const OpenFile& file, std::size_t i) {
  check_index(file, i);
  if (file.mapped() && file.bytes_of(i) < kHoldGilBytes) return file.view(i);
  const nb::gil_scoped_release release;
  return file.view(i);
}

Memory read(const OpenFile& file, std::size_t i) {
  check_index(file, i);
  if (file.bytes_of(i) < kHoldGilBytes) return file.read(i);
  const nb::gil_scoped_release release;
  return file.read(i);
}

Memory detach(const OpenFile& file, std::size_t i) {
  check_index(file, i);
  if (file.bytes_of(i) < kHoldGilBytes) return file.detach(i);
  const nb::gil_scoped_release release;
  return file.detach(i);
}

void expect(const OpenFile& file, std::size_t i) {
  check_index(file, i);
  if (file.bytes_of(i) < kHoldGilBytes) return file.expect(i, 0, file.bytes_of(i));
  const nb::gil_scoped_release release;
  file.expect(i, 0, file.bytes_of(i));
}

// Into memory that torch allocated; it has `length` bytes.
void read_range(const OpenFile& file, std::uint64_t begin, std::uintptr_t address, std::size_t length) {
  const nb::gil_scoped_release release;
  // An address is all that torch gives of pinned memory. NOLINTNEXTLINE(performance-no-int-to-ptr)
  file.read_range(begin, {reinterpret_cast<std::byte*>(address), length});
}

}  // namespace

void bind_file(nb::module_& module) {
  nb::class_<OpenFile>(module, "File")
      .def_static("open_path", &open_path, nb::arg("path"), nb::arg("mapped") = true)
      .def_static("open_descriptor", &open_fd, nb::arg("descriptor"), nb::arg("mapped") = true)
      .def_static("open_buffer", &open_buffer, nb::arg("buffer"))
      .def("__len__", [](const OpenFile& file) { return file.header().size(); })
      .def("find", [](const OpenFile& file, std::string_view name) { return file.header().find(name); })
      .def("names", &names)
      .def("offset_names", &offset_names)
      .def("codes", &codes)
      .def("metadata", &metadata)
      .def("info", &info)
      .def("spec", &spec)
      .def("table", &table)
      .def("view", &view)
      .def("read", &read)
      .def("detach", &detach)
      .def("expect", &expect)
      .def("read_range", &read_range)
      .def_prop_ro("name", [](const OpenFile& file) { return to_str(printable(file.source().name())); })
      .def_prop_ro("mapped", &OpenFile::mapped)
      .def_prop_ro("data_begin", [](const OpenFile& file) { return file.header().data_begin(); })
      .def_prop_ro("data_bytes", [](const OpenFile& file) { return file.header().data_bytes(); });
}

}  // namespace weighbridge::python
