#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "formats/pickle/machine.hpp"
#include "scan/content.hpp"
#include "scan/search.hpp"
#include "scan/streams.hpp"

namespace weighbridge::scanning {
namespace {

using std::string_view_literals::operator""sv;

struct Packing {
  std::string_view signature;
  std::string_view name;
};

constexpr auto kPackings = std::to_array<Packing>({
    {"7z\xBC\xAF\x27\x1C"sv, "7z"},
    {"Rar!\x1A\x07"sv, "rar"},
    {"\x28\xB5\x2F\xFD"sv, "zstd"},
    {"MSCF\0\0\0\0"sv, "cab"},
    {"!<arch>\n"sv, "ar"},
    {"\x1F\x9D"sv, "compress"},
});

constexpr std::size_t kMostCandidates = 10'000;

/// Bytes that are run in all places together. What begins like a pickle by chance breaks off within a few.
constexpr std::uint64_t kMostTried = std::uint64_t{4} << 20;

const Packing* find_packing(const ByteSource& source) {
  const std::string head = read_head(source, 8);
  const auto found = std::ranges::find_if(
      kPackings, [&](const Packing& packing) { return head.starts_with(packing.signature); });
  return found == kPackings.end() ? nullptr : &*found;
}

/// A stream in the middle of something else: small, whole, and of names.
bool is_stored_pickle(const pickle::Outcome& outcome) {
  return !outcome.graph.globals().empty() && (!outcome.failure || names_danger(outcome.graph));
}

/// Tries one place; gives the bytes that were run.
std::uint64_t scan_at(Scan& scan, const Content& content, std::uint64_t offset, const Limits& limits) {
  const pickle::Outcome outcome = pickle::run(content.source, offset, limits);
  const std::uint64_t bytes = outcome.end - offset;
  if (!is_stored_pickle(outcome)) return bytes;
  scan.evidence.count_pickle();
  note_globals(scan, content, outcome.graph);
  note_calls(scan, content, outcome.graph);
  return bytes;
}

void note_too_many(Scan& scan, const Content& content, std::uint64_t offset) {
  scan.evidence.add({.verdict = Verdict::Malformed,
                     .code = "LimitExceeded",
                     .message = "more begins like a pickle than can be tried",
                     .place = content.place,
                     .offset = offset});
}

/// Small files are stored as they are by most packers, and short attacks are small.
void scan_stored_pickles(Scan& scan, const Content& content) {
  Limits limits = scan.limits;
  limits.pickle_nodes = std::min<std::uint64_t>(limits.pickle_nodes, 100'000);
  limits.pickle_bytes = std::min<std::uint64_t>(limits.pickle_bytes, 1 << 20);
  scan.charge(content.source->size());
  std::uint64_t tried = 0;
  for (const std::string_view start : {"\x80\2"sv, "\x80\3"sv, "\x80\4"sv, "\x80\5"sv}) {
    for (const std::uint64_t offset : find_all(*content.source, start, kMostCandidates)) {
      if (tried > kMostTried) return note_too_many(scan, content, offset);
      tried += scan_at(scan, content, offset, limits);
    }
  }
}

}  // namespace

bool is_packed(const ByteSource& source) { return find_packing(source) != nullptr; }

// nullifAI: no loader opens these, people unpack them by hand because they are named like checkpoints, and
// scanners do not look into them.
std::string scan_packed(Scan& scan, const Content& content) {
  const std::string_view packing = find_packing(*content.source)->name;
  const bool claims = names_checkpoint(content.name);
  scan.evidence.add(
      {.verdict = claims ? Verdict::Malformed : Verdict::NotCheckpoint,
       .code = "PackedArchive",
       .message = fmt::format("a {} archive, which no loader of checkpoints opens{}", packing,
                              claims ? ", under the name of a checkpoint" : "; unpack it first"),
       .place = content.place,
       .offset = 0});
  scan_stored_pickles(scan, content);
  return std::string(packing);
}

}  // namespace weighbridge::scanning
