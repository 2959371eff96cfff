// The ways to read a header, side by side: the general one alone, and the quick one through a window of
// any size, from one place or several.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "core/header_data.hpp"
#include "core/header_parts.hpp"
#include "core/header_report.hpp"
#include "core/header_room.hpp"
#include "core/header_scan.hpp"
#include "core/header_stream.hpp"
#include "core/header_text.hpp"

namespace weighbridge::test {

/// What came of one scan.
struct Scanned {
  Header::Data data;
  Streamed quick;  ///< What the quick way took.
  bool complete = false;
  std::optional<Error> error;
  Findings findings;
};

/// The order in which a crew of one thread does its jobs.
enum class JobOrder { LastFirst, FirstFirst };

/// One that reads as many parts one after the other.
inline HeaderCrew crew_of(std::size_t parts, JobOrder order = JobOrder::FirstFirst) {
  return {.lanes = [parts](std::size_t jobs) { return static_cast<unsigned>(std::min(jobs, parts)); },
          .run =
              [order](std::size_t jobs, const std::function<void(std::size_t)>& work) {
                for (std::size_t i = 0; i < jobs; ++i) work(order == JobOrder::FirstFirst ? i : jobs - 1 - i);
              },
          .least_bytes = 1};
}

/// Reads the usual part of `header` into `data`, as far as the way has that.
inline Streamed start_reading(std::string_view header, const Limits& limits,
                              std::optional<StreamWindow> window, const HeaderCrew& crew, HeaderRoom& room,
                              Header::Data& data) {
  if (window) {
    const SourcePtr file = memory_source(Buffer::take(std::string(kHeaderStart, '\0') + std::string(header)));
    return stream_header(*file, header.size(), limits, room, data, crew, *window);
  }
  data.text = padded(header);
  return {};
}

/// `window`: of the quick way; without, the general way alone. `findings`: how many to collect of each
/// kind; without, the first error ends the reading. REQUIRES: valid UTF-8.
inline Scanned scan(std::string_view header, std::optional<StreamWindow> window, const Limits& limits = {},
                    std::optional<std::uint64_t> findings = {}, const HeaderCrew& crew = {}) {
  Scanned result;
  HeaderReport report = findings ? HeaderReport(*findings) : HeaderReport();
  try {
    HeaderRoom room(header.size());
    const Streamed start = result.quick = start_reading(header, limits, window, crew, room, result.data);
    const std::span text(result.data.text.get(), header.size());
    result.complete = start.whole || scan_header(text, limits, room, report, result.data,
                                                 {.place = start.place,
                                                  .path = window ? ScanPath::Quick : ScanPath::General});
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

/// Names and dimensions may lie at other places.
inline bool same_tensor(const TensorRecord& a, const TensorRecord& b) {
  return a.begin == b.begin && a.end == b.end && a.text_at == b.text_at && a.name.size == b.name.size &&
         a.rank == b.rank && a.name_hash == b.name_hash && a.dtype == b.dtype;
}

inline bool same_pair(const MetadataRecord& a, const MetadataRecord& b) {
  return a.key.at == b.key.at && a.key.size == b.key.size && a.value.at == b.value.at &&
         a.value.size == b.value.size;
}

/// Whether what the records refer to is the same too. REQUIRES: equal records.
inline bool same_contents(const Header::Data& a, const Header::Data& b) {
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    if (a.name(i) != b.name(i)) return false;
    if (!std::ranges::equal(a.shape(a.tensors[i]), b.shape(b.tensors[i]))) return false;
  }
  return std::ranges::equal(a.metadata, b.metadata, [&](const MetadataRecord& x, const MetadataRecord& y) {
    return a.view(x.key) == b.view(y.key) && a.view(x.value) == b.view(y.value);
  });
}

/// Whether two ways of reading one header agree in all that a Header or an Error is made of.
inline bool same_outcome(const Scanned& a, const Scanned& b) {
  if (!same_error(a.error, b.error) || !std::ranges::equal(a.findings, b.findings, same_finding))
    return false;
  if (a.error) return true;
  if (a.quick.whole && b.quick.whole && a.quick.tiled != b.quick.tiled) return false;
  return a.complete == b.complete && a.data.has_metadata == b.data.has_metadata &&
         std::ranges::equal(a.data.tensors, b.data.tensors, same_tensor) &&
         std::ranges::equal(a.data.metadata, b.data.metadata, same_pair) && same_contents(a.data, b.data);
}

/// Windows that hold the whole header, some entries, hardly one, and never one.
inline constexpr std::array<StreamWindow, 4> kWindows = {StreamWindow{}, StreamWindow{256, 128},
                                                         StreamWindow{31, 80}, StreamWindow{1, 1}};

/// One, and some that hold few entries.
inline constexpr std::array<std::size_t, 2> kParts = {1, 7};

/// Whether all ways give the same, with the first error and with all findings.
inline bool paths_agree(std::string_view header, const Limits& limits = {}) {
  constexpr std::uint64_t kFindings = 3;
  const auto agree = [&](std::optional<std::uint64_t> findings) {
    const Scanned general = scan(header, std::nullopt, limits, findings);
    return std::ranges::all_of(kWindows, [&](const StreamWindow& window) {
      return std::ranges::all_of(kParts, [&](std::size_t parts) {
        return same_outcome(scan(header, window, limits, findings, crew_of(parts)), general);
      });
    });
  };
  return agree(std::nullopt) && agree(kFindings);
}

}  // namespace weighbridge::test
