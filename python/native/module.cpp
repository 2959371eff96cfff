#include "module.hpp"

#include <bit>

#include <weighbridge/version.hpp>

// Tensors are given as the file has them, little-endian.
static_assert(std::endian::native == std::endian::little);

NB_MODULE(_native, module) {
  namespace python = weighbridge::python;
  module.doc() = "What the package needs of the C++ library; weighbridge has the public names.";
  module.attr("version") = nanobind::str(weighbridge::kVersion.data(), weighbridge::kVersion.size());
  python::bind_errors(module);
  python::bind_memory(module);
  python::bind_file(module);
  python::bind_shards(module);
  python::bind_arena(module);
  python::bind_load(module);
  python::bind_slice(module);
  python::bind_dlpack(module);
  python::bind_write(module);
  python::bind_writer(module);
  python::bind_edit(module);
}
