// Writing a file tensor by tensor.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weighbridge/error.hpp>
#include <weighbridge/writer.hpp>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>

#include "options.hpp"
#include "tensors.hpp"

namespace weighbridge::python {
namespace {

using nb::arg;

/// One contiguous buffer, exported for the time of a call.
class BufferView {
 public:
  explicit BufferView(const nb::object& data) {
    if (PyObject_GetBuffer(data.ptr(), &view_, PyBUF_C_CONTIGUOUS) != 0) throw nb::python_error();
  }
  BufferView(const BufferView&) = delete;
  BufferView& operator=(const BufferView&) = delete;
  ~BufferView() { PyBuffer_Release(&view_); }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(view_.buf), static_cast<std::size_t>(view_.len)};
  }

 private:
  Py_buffer view_{};
};

std::vector<TensorSpec> specs_of(const nb::object& specs) {
  std::vector<TensorSpec> result;
  for (const nb::handle spec : specs) {
    const nb::object name = spec[0];
    const nb::object dtype = spec[1];
    result.push_back({.name = std::string(text_of(name)),
                      .dtype = dtype_of(text_of(dtype)),
                      .shape = shape_of(nb::object(spec[2]))});
  }
  return result;
}

/// The library's writer, which can be let go before its time. Threads may write while no other finishes
/// or discards.
class Writer {
 public:
  Writer(const std::filesystem::path& path, const nb::object& specs, const nb::object& metadata_dict,
         std::uint32_t alignment, std::uint64_t slack, std::string_view durability, bool overwrite) {
    const auto wanted = specs_of(specs);
    const auto metadata = metadata_of(metadata_dict);
    WriteOptions options;
    options.durability = durability_of(durability);
    options.overwrite = overwrite;
    const HeaderStyle style = {.alignment = alignment, .slack = slack};
    const nb::gil_scoped_release release;
    writer_ = std::make_shared<SafetensorsWriter>(path, wanted, metadata, style, options);
  }

  void write(std::string_view name, const nb::object& data, std::optional<std::uint64_t> offset) const {
    const BufferView view(data);
    write_bytes(name, view.bytes(), offset);
  }

  void write_address(std::string_view name, std::uintptr_t address, std::uint64_t size,
                     std::optional<std::uint64_t> offset) const {
    // An address is all that a tensor gives. NOLINTNEXTLINE(performance-no-int-to-ptr)
    write_bytes(name, {reinterpret_cast<const std::byte*>(address), size}, offset);
  }

  [[nodiscard]] std::uint64_t missing_bytes() const { return open()->missing_bytes(); }
  [[nodiscard]] std::uint64_t tensor_bytes(std::string_view name) const { return open()->tensor_bytes(name); }

  std::uint64_t finish() const {
    const auto writer = open();
    const nb::gil_scoped_release release;
    return writer->finish().bytes_written;
  }

  void discard() {
    const nb::ft_lock_guard lock(mutex_);
    writer_.reset();
  }

 private:
  void write_bytes(std::string_view name, std::span<const std::byte> bytes,
                   std::optional<std::uint64_t> offset) const {
    const auto writer = open();
    const nb::gil_scoped_release release;
    if (offset) {
      writer->write_part(name, *offset, bytes);
    } else {
      writer->write(name, bytes);
    }
  }

  // A copy: what one thread discards, another may still be writing to.
  [[nodiscard]] std::shared_ptr<SafetensorsWriter> open() const {
    const nb::ft_lock_guard lock(mutex_);
    if (writer_ == nullptr) throw Error(ErrorCode::InvalidArgument, "the writer was discarded");
    return writer_;
  }

  mutable nb::ft_mutex mutex_;
  std::shared_ptr<SafetensorsWriter> writer_;
};

}  // namespace

void bind_writer(nb::module_& module) {
  nb::class_<Writer>(module, "Writer")
      .def(nb::init<const std::filesystem::path&, const nb::object&, const nb::object&, std::uint32_t,
                    std::uint64_t, std::string_view, bool>(),
           arg("path"), arg("specs"), arg("metadata").none(), arg("alignment") = 8, arg("slack") = 0,
           arg("durability") = "none", arg("overwrite") = true)
      .def("write", &Writer::write, arg("name"), arg("data"), arg("offset").none() = nb::none())
      .def("write_address", &Writer::write_address, arg("name"), arg("address"), arg("size"),
           arg("offset").none() = nb::none())
      .def("missing_bytes", &Writer::missing_bytes)
      .def("tensor_bytes", &Writer::tensor_bytes, arg("name"))
      .def("finish", &Writer::finish)
      .def("discard", &Writer::discard);
}

}  // namespace weighbridge::python
