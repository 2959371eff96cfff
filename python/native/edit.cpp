// Changing the header of a file that exists.
#include <string>
#include <vector>

#include <weighbridge/edit.hpp>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "options.hpp"

namespace weighbridge::python {
namespace {

using nb::arg;

using Pairs = std::vector<std::pair<std::string, std::string>>;

nb::tuple edit(const std::filesystem::path& path, const nb::object& set, std::vector<std::string> unset,
               const Pairs& rename, bool clear, std::uint64_t slack, bool insert, bool rewrite,
               std::string_view durability) {
  HeaderEdit edit;
  edit.metadata = {.clear = clear, .unset = std::move(unset), .set = metadata_of(set).value_or(Metadata())};
  for (const auto& [from, to] : rename) edit.rename.push_back({from, to});
  const EditOptions options = {.slack = slack,
                               .insert = insert,
                               .rewrite = rewrite,
                               .write = interruptible(durability_of(durability), true)};
  EditReport report;
  {
    const nb::gil_scoped_release release;
    report = edit_header(path, edit, options);
  }
  return nb::make_tuple(report.changed, report.in_place, report.bytes_written, report.why);
}

}  // namespace

void bind_edit(nb::module_& module) {
  module.def("edit_header", &edit, arg("path"), arg("set"), arg("unset"), arg("rename"), arg("clear") = false,
             arg("slack") = 0, arg("insert") = false, arg("rewrite") = true, arg("durability") = "none");
}

}  // namespace weighbridge::python
