// Changing the metadata of a file that exists.
#include <string>
#include <vector>

#include <weighbridge/edit.hpp>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "options.hpp"

namespace weighbridge::python {
namespace {

using nb::arg;

nb::tuple edit(const std::filesystem::path& path, const nb::object& set, std::vector<std::string> unset,
               bool clear, std::uint64_t slack, bool insert, bool rewrite, std::string_view durability) {
  const MetadataEdit edit = {
      .clear = clear, .unset = std::move(unset), .set = metadata_of(set).value_or(Metadata())};
  const EditOptions options = {.slack = slack,
                               .insert = insert,
                               .rewrite = rewrite,
                               .write = interruptible(durability_of(durability), true)};
  EditReport report;
  {
    const nb::gil_scoped_release release;
    report = edit_metadata(path, edit, options);
  }
  return nb::make_tuple(report.changed, report.in_place, report.bytes_written);
}

}  // namespace

void bind_edit(nb::module_& module) {
  module.def("edit_metadata", &edit, arg("path"), arg("set"), arg("unset"), arg("clear") = false,
             arg("slack") = 0, arg("insert") = false, arg("rewrite") = true, arg("durability") = "none");
}

}  // namespace weighbridge::python
