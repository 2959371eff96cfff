// The index of a checkpoint: what is where in its data files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge::tensorflow {

/// One dimension of a part of a variable.
struct Extent {
  std::int64_t start = 0;
  std::int64_t length = kAll;
  static constexpr std::int64_t kAll = -1;
};

using Slice = std::vector<Extent>;

struct Entry {
  std::uint64_t type = 0;  ///< element.hpp
  Shape shape = {};
  std::uint64_t shard = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;           ///< Masked.
  std::vector<Slice> slices = {};  ///< Of a variable in parts, which has no bytes of its own.
};

struct Index {
  std::uint64_t shards = 0;
  bool big_endian = false;
  std::map<std::string, Entry, std::less<>> tensors;  ///< By name.
  std::map<std::string, Entry, std::less<>> parts;    ///< By slice_key().
};

/// Throws MalformedCheckpoint; Unsupported for checkpoints of version 1, before 2016; LimitExceeded.
[[nodiscard]] Index read_index(const ByteSource& source, const Limits& limits);

/// The key that the part of a variable stands under.
[[nodiscard]] std::string slice_key(std::string_view name, const Slice& slice);

}  // namespace weighbridge::tensorflow
