// The class Arena: all tensors of a file at once.
#include <nanobind/stl/string_view.h>

#include "load.hpp"
#include "module.hpp"
#include "open_file.hpp"

namespace weighbridge::python {
namespace {

Arena make_arena(const OpenFile& file, ArenaKind kind, const LoadOptions& options = {}) {
  const nb::gil_scoped_release release;
  return Arena(file, kind, options);
}

Arena make_owned(const OpenFile& file, std::string_view mode) {
  LoadOptions options = interruptible_load();
  options.mode = load_mode_of(mode);
  options.large_pages = true;
  return make_arena(file, ArenaKind::Owned, options);
}

nb::object report(const Arena& arena) {
  return arena.report() ? nb::object(to_tuple(*arena.report())) : nb::none();
}

const Memory& get(const Arena& arena, std::size_t i) {
  if (i >= arena.size()) throw nb::index_error("no tensor has that number");
  return arena[i];
}

nb::list memories(const Arena& arena) {
  return make_list(arena.size(), [&](std::size_t i) { return nb::cast(arena[i]); });
}

}  // namespace

void bind_arena(nb::module_& module) {
  nb::class_<Arena>(module, "Arena")
      .def_static("shared", [](const OpenFile& file) { return make_arena(file, ArenaKind::Shared); })
      .def_static("private", [](const OpenFile& file) { return make_arena(file, ArenaKind::Private); })
      .def_static("owned", &make_owned, nb::arg("file"), nb::arg("mode") = "auto")
      .def_prop_ro("report", &report)
      .def("__len__", &Arena::size)
      .def("memory", [](const Arena& arena, std::size_t i) { return get(arena, i); })
      .def("memories", &memories);
}

}  // namespace weighbridge::python
