#include "formats/gguf/block_source.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "formats/computed_source.hpp"
#include "formats/gguf/narrow.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::uint64_t kInputBytes = 256 * 1024;
constexpr std::size_t kFloats = 2048;  ///< Decoded at a time: what stays in the fastest cache.

void turn_halves(const TensorType& type, std::byte* block) noexcept {
  for (const std::uint16_t at : type.halves) {
    if (at != TensorType::kNoHalf) std::swap(block[at], block[at + 1]);
  }
}

std::uint64_t unit_bytes(const TensorType& type, std::optional<DType> dtype) {
  return dtype ? std::uint64_t{type.elements} * bit_width(*dtype) / 8 : type.bytes;
}

class BlockSource final : public ComputedSource {
 public:
  BlockSource(const StoredBlocks& blocks, std::optional<DType> dtype)
      : ComputedSource(blocks.count * unit_bytes(*blocks.type, dtype), unit_bytes(*blocks.type, dtype)),
        blocks_(blocks),
        dtype_(dtype) {}

 private:
  void make(std::uint64_t first, std::span<std::byte> out) const override {
    const std::uint64_t unit = unit_bytes(*blocks_.type, dtype_);
    const std::uint64_t most = kInputBytes / blocks_.type->bytes;
    while (!out.empty()) {
      const std::uint64_t count = std::min(most, out.size() / unit);
      const Buffer in = read_blocks(first, count);
      if (dtype_) {
        decode(in.bytes(), out.data());
      } else {
        std::ranges::copy(in.bytes(), out.begin());
      }
      out = out.subspan(count * unit);
      first += count;
    }
  }

  [[nodiscard]] Buffer read_blocks(std::uint64_t first, std::uint64_t count) const {
    const std::uint64_t bytes = blocks_.type->bytes;
    const std::uint64_t offset = blocks_.offset + first * bytes;
    if (!blocks_.big_endian) return blocks_.source->read(offset, count * bytes);
    std::vector<std::byte> turned(count * bytes);
    blocks_.source->read_at(offset, turned);
    for (std::uint64_t i = 0; i < count; ++i) turn_halves(*blocks_.type, turned.data() + i * bytes);
    return Buffer::take(std::move(turned));
  }

  void decode(std::span<const std::byte> in, std::byte* out) const {
    const TensorType& type = *blocks_.type;
    std::array<float, kFloats> floats;
    while (!in.empty()) {
      const std::size_t count = std::min(kFloats / type.elements, in.size() / type.bytes);
      const std::size_t elements = count * type.elements;
      type.decode(in.data(), count, floats.data());
      narrow(*dtype_, std::span(floats).first(elements), out);
      in = in.subspan(count * type.bytes);
      out += elements * bit_width(*dtype_) / 8;
    }
  }

  StoredBlocks blocks_;
  std::optional<DType> dtype_;
};

}  // namespace

SourcePtr block_source(const StoredBlocks& blocks, std::optional<DType> dtype) {
  return std::make_shared<BlockSource>(blocks, dtype);
}

}  // namespace weighbridge::gguf
