#include <weighbridge/safetensors_file.hpp>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "module.hpp"

namespace weighbridge::python {
namespace {

SafetensorsFile open_path(const std::filesystem::path& path) {
  const nb::gil_scoped_release release;
  return SafetensorsFile::open(path);
}

nb::list names(const SafetensorsFile& file) {
  nb::list names;
  for (std::size_t i = 0; i < file.header().size(); ++i) names.append(file.header()[i].name);
  return names;
}

}  // namespace

void bind_file(nb::module_& module) {
  nb::class_<SafetensorsFile>(module, "File")
      .def_static("open_path", &open_path, nb::arg("path"))
      .def("offset_names", &names);
}

}  // namespace weighbridge::python
