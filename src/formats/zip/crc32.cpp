#include "formats/zip/crc32.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>

#include "formats/zip/failure.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::uint64_t kPieceBytes = 256 * 1024;

}  // namespace

std::uint32_t compute_crc32(const ByteSource& source) {
  std::vector<std::byte> piece(std::min(kPieceBytes, source.size()));
  uLong crc = 0;
  for (std::uint64_t offset = 0; offset < source.size(); offset += piece.size()) {
    const auto bytes = std::span(piece).first(std::min<std::uint64_t>(piece.size(), source.size() - offset));
    source.read_at(offset, bytes);
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  }
  return static_cast<std::uint32_t>(crc);
}

void check_crc32(const Entry& entry, const ByteSource& content) {
  if (entry.crc32 == 0) return;
  const std::uint32_t found = compute_crc32(content);
  if (found == entry.crc32) return;
  throw entry_failure(ErrorCode::MalformedArchive, entry.name,
                      fmt::format("has the CRC-32 {:08x}, the directory says {:08x}", found, entry.crc32),
                      entry.data_offset);
}

}  // namespace weighbridge::zip
