#include "options.hpp"

#include <weighbridge/error.hpp>
#include <weighbridge/text.hpp>

#include "tensors.hpp"

namespace weighbridge::python {
namespace {

std::string_view metadata_text(nb::handle text) {
  if (PyUnicode_Check(text.ptr())) return text_of(text);
  PyErr_Format(PyExc_TypeError, "metadata must be str to str, found a %s", Py_TYPE(text.ptr())->tp_name);
  throw nb::python_error();
}

}  // namespace

Durability durability_of(std::string_view name) {
  if (name == "none") return Durability::None;
  if (name == "data") return Durability::Data;
  if (name == "full") return Durability::Full;
  throw Error(ErrorCode::InvalidArgument,
              "durable is 'none', 'data' or 'full', found '" + printable(name) + "'");
}

std::optional<Metadata> metadata_of(const nb::object& dict) {
  if (dict.is_none()) return std::nullopt;
  Metadata metadata;
  for (const auto& [key, value] : nb::cast<nb::dict>(dict)) {
    metadata.emplace(metadata_text(key), metadata_text(value));
  }
  return metadata;
}

WriteOptions interruptible(Durability durability, bool overwrite) {
  WriteOptions options;
  options.durability = durability;
  options.verify = false;
  options.overwrite = overwrite;
  options.progress = [](std::uint64_t, std::uint64_t) {
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  };
  return options;
}

}  // namespace weighbridge::python
