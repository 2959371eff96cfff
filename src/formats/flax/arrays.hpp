// Arrays in extensions of MessagePack.
#pragma once

#include <weighbridge/limits.hpp>

#include "formats/flax/msgpack.hpp"
#include "formats/numpy/array.hpp"

namespace weighbridge::flax {

/// The array of an extension's content: MessagePack again, [shape, name of the dtype, bytes], row-major.
/// Throws MalformedCheckpoint when the three do not fit, Unsupported for a dtype that is not known.
numpy::Array parse_array(const SourcePtr& source, const Token& extension, const Limits& limits);

/// Flat pieces of one array, put together without a copy. Throws MalformedCheckpoint when they do not fit.
numpy::Array join_arrays(const std::vector<const numpy::Array*>& pieces, Shape shape, const Limits& limits);

}  // namespace weighbridge::flax
