// The index of a sharded checkpoint: which of several files holds which tensor.
//
//   {"metadata": {"total_size": 8}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", ...}}
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

namespace weighbridge::sharded {

struct Index {
  std::vector<std::string> files;                           ///< Distinct, ordered by name.
  std::map<std::string, std::uint32_t, std::less<>> owner;  ///< Tensor name to position in `files`.
};

/// Whether the source is a JSON object that mentions a weight map near its start.
bool looks_like_index(const ByteSource& source);

/// Throws MalformedCheckpoint: no JSON, no weight map, a name twice, a file that is not the plain name of
/// a file; LimitExceeded for an index above limits.header_bytes and for too many tensors.
Index parse_index(const ByteSource& source, const Limits& limits);

/// Writes an index as transformers does: indented by two, keys sorted.
std::string serialize_index(const Index& index, std::uint64_t total_bytes);

}  // namespace weighbridge::sharded
