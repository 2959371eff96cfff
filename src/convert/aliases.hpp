// Names that stand for the bytes of another tensor, as tensors of their own.
#pragma once

#include <weighbridge/checkpoint.hpp>

namespace weighbridge {

/// Turns every alias of the metadata (`metadata[alias] = kept`) into a tensor over the kept one's bytes,
/// behind it; share_tensors() makes aliases of them again. Gives how many there were.
std::size_t expand_aliases(Checkpoint& checkpoint);

}  // namespace weighbridge
