// The layout of an archive of stored entries, as torch.save writes one: every entry's content
// starts at a multiple of the alignment, so that it can be mapped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <weighbridge/write.hpp>

namespace weighbridge::zip {

/// One entry to be written. `content.name` names it in progress and errors, `content.destination` is
/// filled in by the layout.
struct NewEntry {
  std::string name;
  std::string head = {};  ///< In front of the content.
  CopyStep content;
};

/// The CRC-32 of the bytes that a step writes.
using Checksum = std::function<std::uint32_t(const CopyStep&)>;
std::uint32_t checksum_of(const CopyStep& step);

/// The entry of a text that is at hand.
NewEntry text_entry(std::string name, std::string text);

/// Lays the entries out in their order; reads nothing. The checksums are part of the archive, so the
/// plan's steps between the contents compute them when they are written: `checksum` runs once for
/// each entry, by then. Sizes and offsets of 4 GiB and more get zip64 fields.
/// Throws InvalidArgument for a name of 64 KiB, ValidationOverflow.
FilePlan plan_stored_archive(std::vector<NewEntry> entries, std::uint64_t alignment,
                             Checksum checksum = checksum_of);

}  // namespace weighbridge::zip
