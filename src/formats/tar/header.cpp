#include "formats/tar/header.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"

namespace weighbridge::tar {
namespace {

struct Field {
  std::size_t offset;
  std::size_t bytes;
};

constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kMagic{257, 5};
constexpr Field kPosixMagic{257, 8};
constexpr Field kPrefix{345, 155};

/// The first size that eleven octal digits cannot hold.
constexpr std::uint64_t kTooLargeForOctal = std::uint64_t{1} << 33;

std::string_view field_of(const Block& block, Field field) {
  return {reinterpret_cast<const char*>(block.data()) + field.offset, field.bytes};
}

/// Up to the first NUL.
std::string_view text_of(const Block& block, Field field) {
  const std::string_view text = field_of(block, field);
  return text.substr(0, text.find('\0'));
}

/// Blanks, octal digits, then blanks or NULs; nothing for anything else.
std::optional<std::uint64_t> parse_octal(std::string_view field) {
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  std::size_t digits = 0;
  std::uint64_t value = 0;
  for (; digits < field.size() && field[digits] >= '0' && field[digits] <= '7'; ++digits) {
    value = value * 8 + static_cast<std::uint64_t>(field[digits] - '0');  // 36 bits at most
  }
  const std::string_view rest = field.substr(digits);
  const bool ends = std::ranges::all_of(rest, [](char c) { return c == ' ' || c == '\0'; });
  return digits > 0 && ends ? std::optional(value) : std::nullopt;
}

/// GNU's form for large files: the first bit set, then a big-endian number.
std::optional<std::uint64_t> parse_binary(std::string_view field) {
  const std::string_view high = field.substr(1, 3);
  const bool fits = std::ranges::all_of(high, [](char c) { return c == '\0'; });
  const auto value = load_be<std::uint64_t>(field.data() + 4);
  return fits && field[0] == '\x80' && value >= kTooLargeForOctal ? std::optional(value) : std::nullopt;
}

std::uint64_t parse_size(const Block& block, std::uint64_t offset) {
  const std::string_view field = field_of(block, kSize);
  const bool binary = (static_cast<unsigned char>(field[0]) & 0x80U) != 0;
  if (const auto size = binary ? parse_binary(field) : parse_octal(field)) return *size;
  throw failure(fmt::format("the size '{}' is no octal number", printable(text_of(block, kSize))), offset);
}

/// Only headers of POSIX have a prefix; GNU keeps times in its place.
std::string parse_name(const Block& block) {
  const std::string_view name = text_of(block, kName);
  if (field_of(block, kPosixMagic) != std::string_view("ustar\00000", 8)) return std::string(name);
  const std::string_view prefix = text_of(block, kPrefix);
  return prefix.empty() ? std::string(name) : fmt::format("{}/{}", prefix, name);
}

}  // namespace

Error failure(std::string_view what, std::uint64_t offset) {
  return {ErrorCode::MalformedArchive, fmt::format("tar archive: {} (byte {})", what, offset), {}, offset};
}

bool is_empty(std::span<const std::byte> block) noexcept {
  return std::ranges::all_of(block, [](std::byte byte) { return byte == std::byte{0}; });
}

bool has_magic(const Block& block) noexcept { return field_of(block, kMagic) == "ustar"; }

bool has_checksum(const Block& block) noexcept {
  std::uint64_t sum = kChecksum.bytes * ' ';
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool counted = i < kChecksum.offset || i >= kChecksum.offset + kChecksum.bytes;
    if (counted) sum += std::to_integer<std::uint64_t>(block[i]);
  }
  return parse_octal(field_of(block, kChecksum)) == sum;
}

Header parse_header(const Block& block, std::uint64_t offset) {
  if (!has_checksum(block)) throw failure("the checksum of a header is wrong", offset);
  return {
      .name = parse_name(block), .type = static_cast<char>(block[kType]), .bytes = parse_size(block, offset)};
}

}  // namespace weighbridge::tar
