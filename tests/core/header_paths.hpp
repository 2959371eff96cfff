// The two ways to scan a header, side by side: the quick one, and the general one alone.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "core/header_data.hpp"
#include "core/header_report.hpp"
#include "core/header_scan.hpp"

namespace weighbridge::test {

/// What came of one scan.
struct Scanned {
  Header::Data data;
  bool complete = false;
  std::optional<Error> error;
  Findings findings;
};

/// `findings`: how many to collect of each kind; without, the first error ends the scan.
/// REQUIRES: valid UTF-8.
inline Scanned scan(std::string_view header, ScanPath path, const Limits& limits = {},
                    std::optional<std::uint64_t> findings = {}) {
  Scanned result;
  result.data.text = std::make_unique<char[]>(header.size() + kTextPadding);
  std::ranges::copy(header, result.data.text.get());
  HeaderReport report = findings ? HeaderReport(*findings) : HeaderReport();
  try {
    const std::span text(result.data.text.get(), header.size());
    result.complete = scan_header(text, limits, report, result.data, path);
  } catch (const Error& error) {
    result.error = error;
  }
  result.findings = report.take();
  return result;
}

inline bool same_error(const std::optional<Error>& a, const std::optional<Error>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->code() == b->code() && std::string_view(a->what()) == b->what() && a->subject() == b->subject() &&
         a->offset() == b->offset();
}

inline bool same_finding(const Finding& a, const Finding& b) {
  return a.severity == b.severity && a.code == b.code && a.message == b.message && a.subject == b.subject &&
         a.offset == b.offset;
}

inline bool same_tensor(const TensorRecord& a, const TensorRecord& b) {
  return a.begin == b.begin && a.end == b.end && a.name.at == b.name.at && a.name.size == b.name.size &&
         a.dims_at == b.dims_at && a.rank == b.rank && a.name_hash == b.name_hash && a.dtype == b.dtype;
}

inline bool same_pair(const MetadataRecord& a, const MetadataRecord& b) {
  return a.key.at == b.key.at && a.key.size == b.key.size && a.value.at == b.value.at &&
         a.value.size == b.value.size;
}

/// Whether two scans of one header agree in all that a Header or an Error is made of.
inline bool same_outcome(const Scanned& a, const Scanned& b, std::size_t text_size) {
  if (!same_error(a.error, b.error) || !std::ranges::equal(a.findings, b.findings, same_finding))
    return false;
  if (a.error) return true;
  return a.complete == b.complete && a.data.has_metadata == b.data.has_metadata &&
         a.data.dims == b.data.dims && std::ranges::equal(a.data.tensors, b.data.tensors, same_tensor) &&
         std::ranges::equal(a.data.metadata, b.data.metadata, same_pair) &&
         std::memcmp(a.data.text.get(), b.data.text.get(), text_size) == 0;
}

/// Whether both ways give the same, with the first error and with all findings.
inline bool paths_agree(std::string_view header, const Limits& limits = {}) {
  constexpr std::uint64_t kFindings = 3;
  const auto agree = [&](std::optional<std::uint64_t> findings) {
    return same_outcome(scan(header, ScanPath::Quick, limits, findings),
                        scan(header, ScanPath::General, limits, findings), header.size());
  };
  return agree(std::nullopt) && agree(kFindings);
}

}  // namespace weighbridge::test
