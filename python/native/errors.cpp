// The one place where an Error becomes a Python exception.
#include <exception>

#include <weighbridge/error.hpp>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "module.hpp"

namespace weighbridge::python {
namespace {

// weighbridge._errors chooses the class; the module is found when it is needed, as it imports nothing.
void raise(const Error& error) {
  const nb::object exception =
      nb::module_::import_("weighbridge._errors")
          .attr("from_native")(error_code_name(error.code()), error.what(), error.subject(), error.offset(),
                               error.system_error());
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
}

void translate(const std::exception_ptr& thrown, void* /*unused*/) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    raise(error);
  }
}

}  // namespace

void bind_errors(nb::module_& /*module*/) { nb::register_exception_translator(translate); }

}  // namespace weighbridge::python
