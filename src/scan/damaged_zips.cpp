#include <algorithm>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "scan/content.hpp"
#include "scan/loose_zip.hpp"

namespace weighbridge::scanning {
namespace {

/// Entries of a damaged archive that are looked into, and bytes of each that are inflated.
constexpr std::size_t kMostEntries = 10'000;
constexpr std::uint64_t kMostInflated = std::uint64_t{64} << 20;

/// Entries may claim each other's bytes, so that every one of them would be as long as the file.
std::uint64_t most_work(std::uint64_t bytes) {
  constexpr std::uint64_t kPasses = 4;
  return checked_mul(bytes, kPasses).value_or(UINT64_MAX / 2) + kMostInflated;
}

void note_unreadable(Scan& scan, const Content& content, const LooseEntry& entry) {
  scan.evidence.add(
      {.verdict = Verdict::Malformed,
       .code = "Unsupported",
       .message = fmt::format("is packed by method {}, which no loader of checkpoints reads", entry.method),
       .place = content.place,
       .offset = entry.begin});
}

}  // namespace

void scan_zip_loosely(Scan& scan, const Content& content) {
  scan.charge(content.source->size());
  scan.work_left = std::min(scan.work_left, most_work(content.source->size()));
  for (const LooseEntry& entry : find_loose_entries(*content.source, kMostEntries)) {
    Content inner = inside(content, open_loose_entry(content.source, entry, kMostInflated), entry.name);
    if (!inner.source) {
      note_unreadable(scan, inner, entry);
      continue;
    }
    scan.charge(entry.method == 0 ? 0 : inner.source->size());
    scan_content(scan, inner);
  }
}

}  // namespace weighbridge::scanning
