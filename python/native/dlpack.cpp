#include "module.hpp"

namespace weighbridge::python {

void bind_dlpack(nb::module_& /*module*/) {}

}  // namespace weighbridge::python
