// Several files that are one model.
#include <filesystem>
#include <string_view>
#include <vector>

#include <weighbridge/safetensors_file.hpp>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/vector.h>

#include "module.hpp"
#include "open_file.hpp"
#include "tensors.hpp"

namespace weighbridge::python {
namespace {

std::vector<OpenFile> open_paths(const std::vector<std::filesystem::path>& paths, bool mapped) {
  const nb::gil_scoped_release release;
  const auto opened = SafetensorsFile::open_all(paths, mapped ? ReadMode::Auto : ReadMode::Positional);
  return {opened.begin(), opened.end()};
}

// The first name of an index that is not in the file where the index has it; None where all are.
nb::object first_misplaced(const nb::dict& weight_map, const nb::dict& files) {
  PyObject* name = nullptr;
  PyObject* shard = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(weight_map.ptr(), &at, &name, &shard) != 0;) {
    PyObject* file = PyDict_GetItemWithError(files.ptr(), shard);
    if (file == nullptr) throw nb::key_error("an index names a file that is not open");
    if (!nb::cast<const OpenFile&>(nb::handle(file)).header().find(text_of(name))) return nb::borrow(name);
  }
  return nb::none();
}

}  // namespace

void bind_shards(nb::module_& module) {
  module.def("open_paths", &open_paths, nb::arg("paths"), nb::arg("mapped") = true);
  module.def("first_misplaced", &first_misplaced, nb::arg("weight_map"), nb::arg("files"));
}

}  // namespace weighbridge::python
