#include "formats/tensorflow/crc32c.hpp"

#include <array>

#include "base/endian.hpp"

namespace weighbridge::tensorflow {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected
constexpr std::size_t kSlices = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

/// tables[k][b]: what byte b does to the checksum when k bytes follow it.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = before >> 8 ^ tables[0][before & 0xFFU];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t add_byte(std::uint32_t crc, std::byte byte) noexcept {
  return crc >> 8 ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU];
}

/// Eight bytes in one step.
std::uint32_t add_word(std::uint32_t crc, std::uint64_t word) noexcept {
  word ^= crc;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kSlices; ++i) sum ^= kTables[kSlices - 1 - i][word >> (8 * i) & 0xFFU];
  return sum;
}

std::uint32_t add_in_software(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8))
    crc = add_word(crc, load_le<std::uint64_t>(bytes.data()));
  for (const std::byte byte : bytes) crc = add_byte(crc, byte);
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t add_in_hardware(std::uint32_t crc,
                                                                std::span<const std::byte> bytes) noexcept {
  std::uint64_t wide = crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    wide = __builtin_ia32_crc32di(wide, load_le<std::uint64_t>(bytes.data()));
  }
  return add_in_software(static_cast<std::uint32_t>(wide), bytes);
}
#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") != 0) return ~add_in_hardware(~crc, bytes);
#endif
  return ~add_in_software(~crc, bytes);
}

}  // namespace weighbridge::tensorflow
