// Saving: tensors in memory as bytes, as a file, into a descriptor.
#include <weighbridge/write.hpp>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string_view.h>

#include "options.hpp"
#include "tensors.hpp"

namespace weighbridge::python {
namespace {

using nb::arg;

HeaderStyle style_of(std::uint32_t alignment, std::uint64_t slack) {
  return {.alignment = alignment, .slack = slack};
}

nb::bytes serialize(const Tensors& tensors, const nb::object& metadata_dict, std::uint32_t alignment,
                    std::uint64_t slack) {
  const auto metadata = metadata_of(metadata_dict);
  const auto borrowed = tensors.borrowed();
  FilePlan plan;
  {
    const nb::gil_scoped_release release;
    plan = plan_tensors(borrowed, metadata, style_of(alignment, slack));
  }
  // Filled where it lies: nobody else has seen it yet.
  nb::bytes out =
      nb::steal<nb::bytes>(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(plan.total_bytes)));
  if (!out.is_valid()) throw nb::python_error();
  auto* bytes = reinterpret_cast<std::byte*>(PyBytes_AsString(out.ptr()));
  {
    const nb::gil_scoped_release release;
    write_memory(plan, {bytes, plan.total_bytes}, interruptible(Durability::None, false));
  }
  return out;
}

std::uint64_t save(const Tensors& tensors, const std::filesystem::path& path, const nb::object& metadata_dict,
                   std::uint32_t alignment, std::uint64_t slack, std::string_view durability, bool overwrite,
                   unsigned threads) {
  const auto metadata = metadata_of(metadata_dict);
  WriteOptions options = interruptible(durability_of(durability), overwrite);
  options.threads = threads;
  const nb::gil_scoped_release release;
  const FilePlan plan = plan_tensors(tensors.borrowed(), metadata, style_of(alignment, slack));
  return write_file(plan, path, options).bytes_written;
}

std::uint64_t save_descriptor(const Tensors& tensors, int descriptor, const nb::object& metadata_dict,
                              std::uint32_t alignment, std::uint64_t slack, std::string_view durability) {
  const auto metadata = metadata_of(metadata_dict);
  const WriteOptions options = interruptible(durability_of(durability), true);
  const nb::gil_scoped_release release;
  const FilePlan plan = plan_tensors(tensors.borrowed(), metadata, style_of(alignment, slack));
  return write_descriptor(plan, descriptor, options).bytes_written;
}

void write_text(const std::filesystem::path& path, std::string_view text, std::string_view durability,
                bool overwrite) {
  const WriteOptions options = interruptible(durability_of(durability), overwrite);
  const nb::gil_scoped_release release;
  write_text_file(path, text, options);
}

}  // namespace

void bind_write(nb::module_& module) {
  nb::class_<PlainArrays>(module, "PlainArrays")
      .def(nb::init<nb::object, nb::list>(), arg("type"), arg("samples"));
  nb::class_<Tensors>(module, "Tensors")
      .def(nb::init<>())
      .def("add_arrays", &Tensors::add_arrays, arg("arrays"), arg("plain"), arg("adapt"))
      .def("add", &Tensors::add, arg("name"), arg("dtype"), arg("shape"), arg("data"))
      .def("add_address", &Tensors::add_address, arg("name"), arg("dtype"), arg("shape"), arg("address"),
           arg("size"), arg("strides") = nb::none(), arg("owner") = nb::none())
      .def("__len__", &Tensors::size);
  module.def("serialize", &serialize, arg("tensors"), arg("metadata").none(), arg("alignment") = 8,
             arg("slack") = 0);
  module.def("save", &save, arg("tensors"), arg("path"), arg("metadata").none(), arg("alignment") = 8,
             arg("slack") = 0, arg("durability") = "none", arg("overwrite") = true, arg("threads") = 0);
  module.def("write_text", &write_text, arg("path"), arg("text"), arg("durability") = "none",
             arg("overwrite") = true);
  module.def("save_descriptor", &save_descriptor, arg("tensors"), arg("descriptor"), arg("metadata").none(),
             arg("alignment") = 8, arg("slack") = 0, arg("durability") = "none");
}

}  // namespace weighbridge::python
