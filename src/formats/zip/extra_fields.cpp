#include "formats/zip/extra_fields.hpp"

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/zip/failure.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::size_t kFieldHeaderBytes = 4;

}  // namespace

std::optional<std::span<const std::byte>> find_extra(std::span<const std::byte> extra, std::uint16_t id,
                                                     std::string_view entry, std::uint64_t header_offset) {
  std::optional<std::span<const std::byte>> found;
  while (extra.size() >= kFieldHeaderBytes) {
    const auto field_id = load_le<std::uint16_t>(extra.data());
    const std::size_t length = load_le<std::uint16_t>(extra.data() + 2);
    extra = extra.subspan(kFieldHeaderBytes);
    if (length > extra.size()) {
      throw entry_failure(
          ErrorCode::MalformedArchive, entry,
          fmt::format("extra field {:#06x} of {} bytes has only {} left", field_id, length, extra.size()),
          header_offset);
    }
    if (field_id == id) {
      if (found) {
        throw entry_failure(ErrorCode::MalformedArchive, entry,
                            fmt::format("extra field {:#06x} occurs twice", id), header_offset);
      }
      found = extra.first(length);
    }
    extra = extra.subspan(length);
  }
  return found;
}

}  // namespace weighbridge::zip
