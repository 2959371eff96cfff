#include "module.hpp"

namespace weighbridge::python {

void bind_slice(nb::module_& /*module*/) {}

}  // namespace weighbridge::python
