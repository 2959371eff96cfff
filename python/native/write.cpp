#include "module.hpp"

namespace weighbridge::python {

void bind_write(nb::module_& /*module*/) {}

}  // namespace weighbridge::python
