// Calls of well-known container types, turned into the containers that they make.
#pragma once

#include "formats/pickle/opcodes.hpp"

namespace weighbridge::pickle {

/// The node for a REDUCE of `callable` with the Tuple `arguments`: a plain container where the
/// constructor is known and its arguments have one of the usual shapes, a Call otherwise.
NodeId fold_call(Machine& machine, NodeId callable, NodeId arguments);

}  // namespace weighbridge::pickle
