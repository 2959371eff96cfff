// What must hold between the entries of an archive.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/zip/archive.hpp"
#include "formats/zip/directory.hpp"

namespace weighbridge::zip {

/// The bytes that an entry takes in the archive: local header and data.
struct EntryExtent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Throws MalformedArchive when two entries share bytes, or when the archive does not begin with an
/// entry. `extents[i]` belongs to `headers[i]`; an archive without entries begins at `directory_offset`.
void check_extents(std::span<const CentralHeader> headers, std::span<const EntryExtent> extents,
                   std::uint64_t directory_offset);

/// Positions of the entries in the order of their names.
/// Throws MalformedArchive when two names are the same.
[[nodiscard]] std::vector<std::size_t> sort_by_name(std::span<const Entry> entries,
                                                    NameCase name_case = NameCase::Folded);

/// Warnings about names that would be dangerous or ambiguous to unpack.
[[nodiscard]] Findings inspect_names(std::span<const CentralHeader> headers, const Limits& limits);

}  // namespace weighbridge::zip
