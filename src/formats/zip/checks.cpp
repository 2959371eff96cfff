#include "formats/zip/checks.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/zip/entry_name.hpp"
#include "formats/zip/failure.hpp"

namespace weighbridge::zip {
namespace {

std::vector<std::size_t> positions(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

/// Findings of one kind: the first ones are kept, the others counted.
class FindingsOfOneKind {
 public:
  FindingsOfOneKind(std::string_view code, std::string_view what, std::uint64_t limit)
      : code_(code), what_(what), limit_(limit) {}

  void add(const CentralHeader& header) {
    if (++count_ > limit_) return;
    kept_.push_back({Severity::Warning, code_, fmt::format("entry '{}': {}", printable(header.name), what_),
                     header.name, header.header_offset});
  }

  void append_to(Findings& findings) && {
    std::ranges::move(kept_, std::back_inserter(findings));
    if (count_ <= limit_) return;
    findings.push_back(
        {Severity::Warning, code_, fmt::format("{} more entries: {}", count_ - limit_, what_), {}, {}});
  }

 private:
  std::string code_;
  std::string what_;
  std::uint64_t limit_;
  std::uint64_t count_ = 0;
  Findings kept_;
};

void check_beginning(std::uint64_t first, std::uint64_t directory_offset) {
  if (first == 0) return;
  throw archive_failure(
      ErrorCode::MalformedArchive,
      fmt::format("{} bytes before its first {}", first, first == directory_offset ? "header" : "entry"), 0);
}

}  // namespace

void check_extents(std::span<const CentralHeader> headers, std::span<const EntryExtent> extents,
                   std::uint64_t directory_offset) {
  std::vector<std::size_t> order = positions(headers.size());
  std::ranges::sort(order, {}, [&](std::size_t i) { return extents[i].begin; });
  check_beginning(order.empty() ? directory_offset : extents[order.front()].begin, directory_offset);
  for (std::size_t i = 1; i < order.size(); ++i) {
    const std::size_t before = order[i - 1];
    const std::size_t after = order[i];
    if (extents[after].begin >= extents[before].end) continue;
    throw entry_failure(ErrorCode::MalformedArchive, headers[after].name,
                        fmt::format("overlaps entry '{}', which ends at byte {}",
                                    printable(headers[before].name), extents[before].end),
                        extents[after].begin);
  }
}

std::vector<std::size_t> sort_by_name(std::span<const Entry> entries, NameCase name_case) {
  std::vector<std::size_t> order = positions(entries.size());
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const int difference = compare_names(entries[a].name, entries[b].name, name_case);
    return difference != 0 ? difference < 0 : a < b;
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Entry& first = entries[order[i - 1]];
    const Entry& second = entries[order[i]];
    if (compare_names(first.name, second.name, name_case) != 0) continue;
    throw entry_failure(
        ErrorCode::MalformedArchive, second.name,
        fmt::format("duplicate entry; '{}' is at byte {}{}", printable(first.name), first.data_offset,
                    name_case == NameCase::Folded ? ", and case does not tell names apart" : ""),
        second.data_offset);
  }
  return order;
}

Findings inspect_names(std::span<const CentralHeader> headers, const Limits& limits) {
  FindingsOfOneKind unsafe("UnsafeName", "the name points outside the folder it would be unpacked to",
                           limits.findings);
  FindingsOfOneKind not_utf8("NonUtf8Name", "the name is not UTF-8; readers show it differently",
                             limits.findings);
  for (const CentralHeader& header : headers) {
    if (leaves_its_folder(header.name)) unsafe.add(header);
    if (find_invalid_utf8(header.name)) not_utf8.add(header);
  }
  Findings findings;
  std::move(unsafe).append_to(findings);
  std::move(not_utf8).append_to(findings);
  return findings;
}

}  // namespace weighbridge::zip
