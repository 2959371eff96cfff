// The block in front of each member of a tar archive.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <weighbridge/error.hpp>

namespace weighbridge::tar {

constexpr std::uint64_t kBlock = 512;
using Block = std::array<std::byte, kBlock>;

struct Header {
  std::string name = {};  ///< As it stands there, prefix joined.
  char type = '0';
  std::uint64_t bytes = 0;
};

/// "tar archive: <what> (byte <offset>)"
[[nodiscard]] Error failure(std::string_view what, std::uint64_t offset);

/// Whether all bytes are zero, as in the blocks that end an archive.
[[nodiscard]] bool is_empty(std::span<const std::byte> block) noexcept;

[[nodiscard]] bool has_magic(const Block& block) noexcept;

/// Whether the checksum is that of the block.
[[nodiscard]] bool has_checksum(const Block& block) noexcept;

/// Reads name, type and size of the block at `offset`. Throws MalformedArchive for a wrong checksum
/// and for a size that is no octal number; one that octal digits cannot hold may be binary.
[[nodiscard]] Header parse_header(const Block& block, std::uint64_t offset);

}  // namespace weighbridge::tar
