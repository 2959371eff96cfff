#include "module.hpp"

namespace weighbridge::python {

void bind_writer(nb::module_& /*module*/) {}

}  // namespace weighbridge::python
