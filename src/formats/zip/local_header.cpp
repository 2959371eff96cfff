#include "formats/zip/local_header.hpp"

#include <string_view>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/zip/extra_fields.hpp"
#include "formats/zip/failure.hpp"
#include "formats/zip/flags.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint32_t kSeeZip64 = 0xFFFFFFFF;

struct LocalHeader {
  std::uint32_t signature = 0;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint16_t name_bytes = 0;
  std::uint16_t extra_bytes = 0;
};

LocalHeader parse_fixed_part(const std::byte* at) {
  return {.signature = load_le<std::uint32_t>(at),
          .flags = load_le<std::uint16_t>(at + 6),
          .method = load_le<std::uint16_t>(at + 8),
          .crc32 = load_le<std::uint32_t>(at + 14),
          .compressed_bytes = load_le<std::uint32_t>(at + 18),
          .bytes = load_le<std::uint32_t>(at + 22),
          .name_bytes = load_le<std::uint16_t>(at + 26),
          .extra_bytes = load_le<std::uint16_t>(at + 28)};
}

Error malformed(const CentralHeader& central, std::string_view what) {
  return entry_failure(ErrorCode::MalformedArchive, central.name, what, central.local_offset);
}

void check_name_agrees(const CentralHeader& central, std::string_view local_name) {
  if (local_name == central.name) return;
  throw malformed(central, fmt::format("its local header names it '{}'", printable(local_name)));
}

void check_meaning_agrees(const CentralHeader& central, const LocalHeader& local) {
  if ((local.flags & (kAnyEncryption | kPatchData)) != 0) {
    throw malformed(central, fmt::format("its local flags {:#06x} claim encryption or patch data, "
                                         "the directory does not",
                                         local.flags));
  }
  const unsigned method = central.method == Method::Stored ? 0 : 8;
  if (local.method != method) {
    throw malformed(central, fmt::format("compression method {} in its local header, {} in the directory",
                                         local.method, method));
  }
}

/// Replaces sizes of all ones by those of the zip64 field, which must then hold both.
void resolve_zip64(const ByteSource& source, const CentralHeader& central, LocalHeader& local) {
  if (local.bytes != kSeeZip64 && local.compressed_bytes != kSeeZip64) return;
  const Buffer extra = source.read(central.local_offset + kLocalBytes + local.name_bytes, local.extra_bytes);
  const auto zip64 = find_extra(extra.bytes(), kZip64Extra, central.name, central.local_offset);
  if (!zip64) return;
  if (zip64->size() < 2 * sizeof(std::uint64_t)) {
    throw malformed(central, "the zip64 field of its local header lacks a size");
  }
  local.bytes = load_le<std::uint64_t>(zip64->data());
  local.compressed_bytes = load_le<std::uint64_t>(zip64->data() + sizeof(std::uint64_t));
}

void check_value(const CentralHeader& central, std::string_view what, std::uint64_t local,
                 std::uint64_t in_directory) {
  if (local == 0 || local == in_directory) return;
  throw malformed(central,
                  fmt::format("{} {} in its local header, {} in the directory", what, local, in_directory));
}

void check_sizes_agree(const ByteSource& source, const CentralHeader& central, LocalHeader local) {
  if ((local.flags & kSizesFollowData) != 0) return;  // readers take nothing from these fields
  resolve_zip64(source, central, local);
  check_value(central, "size", local.bytes, central.bytes);
  check_value(central, "compressed size", local.compressed_bytes, central.compressed_bytes);
  check_value(central, "CRC-32", local.crc32, central.crc32);
}

/// Reads the fixed part and, with it, as many bytes of the name as the directory's name has.
Buffer read_header(const ByteSource& source, const CentralHeader& central, std::uint64_t data_limit) {
  const std::uint64_t length = kLocalBytes + central.name.size();
  if (!range_fits(central.local_offset, length, data_limit)) {
    throw entry_failure(
        ErrorCode::MalformedArchive, central.name,
        fmt::format("its local header of {} bytes at {} reaches into the directory at byte {}", length,
                    central.local_offset, data_limit),
        central.header_offset);
  }
  return source.read(central.local_offset, length);
}

}  // namespace

std::uint64_t check_local_header(const ByteSource& source, const CentralHeader& central,
                                 std::uint64_t data_limit) {
  const Buffer header = read_header(source, central, data_limit);
  const LocalHeader local = parse_fixed_part(header.bytes().data());
  if (local.signature != kLocalSignature)
    throw malformed(central, "no local header where the directory says");
  const auto name = header.bytes().subspan(kLocalBytes);
  if (local.name_bytes != name.size()) {
    throw malformed(central, fmt::format("a name of {} bytes in its local header, {} in the directory",
                                         local.name_bytes, name.size()));
  }
  check_name_agrees(central, {reinterpret_cast<const char*>(name.data()), name.size()});
  check_meaning_agrees(central, local);
  const std::uint64_t data_offset = central.local_offset + header.size() + local.extra_bytes;
  if (!range_fits(data_offset, central.compressed_bytes, data_limit)) {
    throw malformed(central, fmt::format("its {} bytes of data at {} reach into the directory at byte {}",
                                         central.compressed_bytes, data_offset, data_limit));
  }
  check_sizes_agree(source, central, local);
  return data_offset;
}

}  // namespace weighbridge::zip
