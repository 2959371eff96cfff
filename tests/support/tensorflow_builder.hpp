// Writes checkpoints of TensorFlow for tests: sound ones as TensorFlow would, and ones that lie.
//
//   CheckpointBuilder builder;
//   builder.tensor("w", 1, {2}, floats);
//   folder.files = builder.files("model");   // model.index and model.data-00000-of-00001
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/tensor.hpp>

namespace weighbridge::test {

std::string varint(std::uint64_t value);
/// A field of a message with a number, and one with bytes.
std::string field(std::uint32_t id, std::uint64_t value);
std::string field(std::uint32_t id, std::string_view bytes);
/// Field 6 of an entry: 4 bytes.
std::string crc_field(std::uint32_t crc);

/// A table of leveldb with one entry a block.
class TableBuilder {
 public:
  std::map<std::string, std::string> entries;
  bool snappy = false;                                       ///< Blocks as one literal each.
  char compression = -1;                                     ///< In place of the true one.
  std::uint32_t crc_change = 0;                              ///< Added to the checksum of every block.
  std::string offsets = std::string("\0\0\0\0\1\0\0\0", 8);  ///< Behind the entries of each block.

  [[nodiscard]] std::string bytes() const;

 private:
  [[nodiscard]] std::string add_block(std::string& out, const std::string& content) const;
};

/// An entry of a block whose key shares `shared` bytes with the one before.
std::string table_entry(std::uint64_t shared, std::string_view rest, std::string_view value);

class CheckpointBuilder {
 public:
  /// `type` as TensorFlow numbers it.
  void tensor(const std::string& name, std::uint64_t type, const Shape& shape, std::string_view content);
  /// The entry of a variable in parts; `slices` are TensorSliceProtos.
  void whole(const std::string& name, std::uint64_t type, const Shape& shape,
             const std::vector<std::string>& slices);

  [[nodiscard]] std::map<std::string, std::string, std::less<>> files(const std::string& prefix) const;

  std::string header = std::string("\x08\x01\x1A\x02\x08\x01", 6);  ///< One file, little-endian.
  TableBuilder table;
  std::string data;
};

std::string shape_message(const Shape& shape);
std::string entry_message(std::uint64_t type, const Shape& shape, std::uint64_t shard, std::uint64_t offset,
                          std::string_view content);

}  // namespace weighbridge::test
