#include "module.hpp"

namespace weighbridge::python {

void bind_edit(nb::module_& /*module*/) {}

}  // namespace weighbridge::python
