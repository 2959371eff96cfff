#include "formats/tensorflow/table.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "formats/tensorflow/crc32c.hpp"
#include "formats/tensorflow/failure.hpp"
#include "formats/tensorflow/snappy.hpp"
#include "formats/tensorflow/wire.hpp"

namespace weighbridge::tensorflow {
namespace {

constexpr std::uint64_t kMagic = 0xDB4775248B80FB57;
constexpr std::uint64_t kFooterBytes = 48;
constexpr std::uint64_t kTrailerBytes = 5;   ///< Of a block: how it is compressed, and its checksum.
constexpr std::uint64_t kKeyBytesRatio = 4;  ///< Of all keys, to the greatest size of a header.
constexpr char kStored = 0;
constexpr char kSnappy = 1;

/// Where a block lies.
struct Handle {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

Handle take_handle(Wire& in) {
  Handle handle;
  handle.offset = in.take_varint();
  handle.bytes = in.take_varint();
  return handle;
}

std::string_view as_text(const Buffer& buffer) {
  const auto bytes = buffer.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Table {
 public:
  Table(const ByteSource& source, const Limits& limits) : source_(source), limits_(limits) {}

  void visit(const TableVisitor& visitor) {
    const Buffer footer = source_.read(source_.size() - kFooterBytes, kFooterBytes);
    Wire in(as_text(footer));
    take_handle(in);  // of the metaindex, which TensorFlow leaves empty
    const std::string index = read_block(take_handle(in));
    std::uint64_t behind = 0;
    visit_block(index, [&](std::string_view, std::string_view value) {
      Wire handle(value);
      const Handle block = take_handle(handle);
      // In order and apart, so that no block is read twice.
      if (block.offset < behind) refuse("blocks of the index overlap or are out of order");
      behind = block.offset + block.bytes;
      visit_block(read_block(block), visitor);
    });
  }

 private:
  std::string read_block(Handle block) const {
    const auto bytes = checked_add(block.bytes, kTrailerBytes);
    if (!bytes || !range_fits(block.offset, *bytes, source_.size())) {
      refuse(fmt::format("a block of the index has {} bytes at byte {} of {}", block.bytes, block.offset,
                         source_.size()));
    }
    if (block.bytes > limits_.header_bytes) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("the TensorFlow checkpoint: a block of the index has {} bytes, the limit is {}",
                              block.bytes, limits_.header_bytes));
    }
    const Buffer buffer = source_.read(block.offset, *bytes);
    check_crc(buffer, block);
    const std::string_view content = as_text(buffer).substr(0, block.bytes);
    const char compression = as_text(buffer)[block.bytes];
    if (compression == kStored) return std::string(content);
    if (compression == kSnappy) return unpack_snappy(content, limits_.header_bytes);
    refuse(fmt::format("a block of the index is compressed by method {}", static_cast<int>(compression)), {},
           block.offset + block.bytes);
  }

  /// Over the block and the byte that says how it is compressed.
  static void check_crc(const Buffer& buffer, Handle block) {
    const auto said = load_le<std::uint32_t>(buffer.bytes().data() + block.bytes + 1);
    const std::uint32_t is = mask_crc(crc32c(buffer.bytes().first(block.bytes + 1)));
    if (said == is) return;
    refuse(fmt::format("a block of the index has the CRC-32C {:08x} and says {:08x}", is, said), {},
           block.offset);
  }

  /// Entries share the front of their keys with the one before; behind them stand offsets for searches.
  void visit_block(std::string_view block, const TableVisitor& visitor) {
    constexpr std::uint64_t kOffsetBytes = 4;
    if (block.size() < kOffsetBytes) refuse("a block of the index is empty");
    const std::uint64_t offsets = load_le<std::uint32_t>(block.data() + block.size() - kOffsetBytes);
    if (offsets > block.size() / kOffsetBytes - 1) {
      refuse(fmt::format("a block of the index has {} bytes and {} offsets", block.size(), offsets));
    }
    Wire in(block.substr(0, block.size() - (offsets + 1) * kOffsetBytes));
    std::string key;
    bool first = true;
    while (!in.at_end()) {
      const std::uint64_t shared = in.take_varint();
      const std::uint64_t rest = in.take_varint();
      const std::uint64_t bytes = in.take_varint();
      if (shared > key.size()) {
        refuse(fmt::format("a key of the index shares {} bytes with one of {}", shared, key.size()));
      }
      check_key(shared, rest);
      std::string next = key.substr(0, shared);
      next += in.take_bytes(rest);
      if (!first && next <= key) refuse("keys of the index are out of order");
      first = false;
      key = std::move(next);
      visitor(key, in.take_bytes(bytes));
    }
  }

  /// Keys that share their front take few bytes of the file each, and all of theirs in memory.
  void check_key(std::uint64_t shared, std::uint64_t rest) {
    const std::uint64_t bytes = checked_add(shared, rest).value_or(UINT64_MAX);
    key_bytes_ += std::min(bytes, limits_.name_bytes);
    if (bytes <= limits_.name_bytes && key_bytes_ / kKeyBytesRatio <= limits_.header_bytes) return;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the TensorFlow checkpoint: a key has {} bytes, all up to it have {}; the limits "
                            "are {} and {}",
                            bytes, key_bytes_, limits_.name_bytes, kKeyBytesRatio * limits_.header_bytes));
  }

  const ByteSource& source_;
  const Limits& limits_;
  std::uint64_t key_bytes_ = 0;
};

}  // namespace

bool looks_like_table(const ByteSource& source) {
  if (source.size() < kFooterBytes) return false;
  std::array<std::byte, sizeof kMagic> end{};
  source.read_at(source.size() - end.size(), end);
  return load_le<std::uint64_t>(end.data()) == kMagic;
}

void visit_table(const ByteSource& source, const Limits& limits, const TableVisitor& visit) {
  Table(source, limits).visit(visit);
}

}  // namespace weighbridge::tensorflow
