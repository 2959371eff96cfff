// A checkpoint as a GGUF file.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

#include "formats/gguf/encode.hpp"

namespace weighbridge::gguf {

/// What a file says beside its tensors.
struct Content {
  std::vector<EncodedPair> pairs;
  std::vector<std::string> order;  ///< Names of tensors that stand first, in this order.
};

/// Puts `pair` in the place of the one of its key, or behind all others.
void set_pair(std::vector<EncodedPair>& pairs, EncodedPair pair);

/// Lays the checkpoint out: version 3, little-endian, each tensor at a multiple of general.alignment. Tensors
/// that were kept raw are blocks again; with `quantize` floating-point tensors become Q8_0 where they can.
/// Appends findings. Pure. Throws Unsupported for a dtype that GGUF has no type for, a name of more than 63
/// bytes and more than 4 dimensions; InvalidArgument without general.architecture; MalformedCheckpoint for
/// metadata or an alignment that cannot be; DuplicateKey; LimitExceeded.
[[nodiscard]] FilePlan plan_gguf(const Checkpoint& checkpoint, Content content, bool quantize,
                                 const Limits& limits, Findings& findings);

}  // namespace weighbridge::gguf
