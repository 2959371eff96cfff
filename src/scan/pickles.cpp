#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "formats/numpy/joblib_wrapper.hpp"
#include "formats/torch/read.hpp"
#include "scan/streams.hpp"

namespace weighbridge::scanning {
namespace {

using pickle::Outcome;

/// Files of more pickles than this are none that a checkpoint's writer makes.
constexpr std::uint64_t kMostStreams = 10'000;

/// The magic number, the version, the system, the object and the keys; the storages follow.
constexpr std::uint64_t kLegacyStreams = 5;

bool has_proto(const ByteSource& source, std::uint64_t offset) {
  std::array<std::byte, 2> start{};
  if (source.size() - offset < start.size()) return false;
  source.read_at(offset, start);
  return start[0] == std::byte{0x80} && start[1] <= std::byte{5};
}

bool may_start_pickle(const SourcePtr& source, std::uint64_t offset) {
  return torch::looks_like_pickle(*sub_source(source, offset, source->size() - offset));
}

/// Bytes that merely look like opcodes break off early and leave nothing behind. A real unpickler runs
/// what comes before a break: that decides.
bool is_convincing(const Outcome& outcome) {
  return !outcome.failure || makes_calls(outcome.graph) || names_danger(outcome.graph);
}

/// Whether somebody said that this is a pickle: the file by its first bytes, the entry by its name.
bool is_declared(const Content& content, std::uint64_t offset) {
  if (offset != 0) return false;
  return names_pickle(content.name) || (content.is_whole && has_proto(*content.source, 0));
}

/// joblib keeps arrays between the opcodes. Both readings count: a loader that does not know joblib takes
/// their bytes for opcodes as well.
Outcome run_stream(Scan& scan, const Content& content, std::uint64_t offset) {
  Outcome plain = pickle::run(content.source, offset, scan.limits);
  scan.charge(plain.end - offset);
  if (!plain.failure || !numpy::names_wrapper(plain.graph)) return plain;
  if (names_danger(plain.graph)) note_globals(scan, content, plain.graph);
  Outcome whole = pickle::run(content.source, offset, scan.limits, numpy::find_joblib_inlay(content.source));
  scan.charge(whole.end - offset);
  return whole;
}

void note_stream(Scan& scan, const Content& content, const Outcome& outcome) {
  scan.evidence.count_pickle();
  note_globals(scan, content, outcome.graph);
  note_calls(scan, content, outcome.graph);
  note_expansion(scan, content, outcome);
  if (outcome.failure) note_failure(scan, content, outcome);
}

/// Notes what stands behind the last pickle.
void note_end(Scan& scan, const Content& content, std::uint64_t streams, std::uint64_t end) {
  if (streams > 1) {
    scan.evidence.add({.verdict = Verdict::Clean,
                       .code = "SeveralPickles",
                       .message = fmt::format("{} pickles stand one behind the other", streams),
                       .place = content.place});
  }
  if (end == content.source->size()) return;
  scan.evidence.add({.verdict = Verdict::Clean,
                     .code = "TrailingBytes",
                     .message = fmt::format("{} bytes behind the last pickle, which are none",
                                            content.source->size() - end),
                     .place = content.place,
                     .offset = end});
}

void note_too_many(Scan& scan, const Content& content, std::uint64_t offset) {
  scan.evidence.add({.verdict = Verdict::Malformed,
                     .code = "LimitExceeded",
                     .message = fmt::format("more than {} pickles stand one behind the other", kMostStreams),
                     .place = content.place,
                     .offset = offset});
}

void note_hidden(Scan& scan, const Content& content) {
  if (content.depth == 0 || names_pickle(content.name) || names_checkpoint(content.name)) return;
  scan.evidence.add({.verdict = Verdict::Clean,
                     .code = "HiddenPickle",
                     .message = "a pickle under a name that does not say so",
                     .place = content.place,
                     .offset = 0});
}

/// An entry that a loader would unpickle, and that is no pickle.
std::string note_no_pickle(Scan& scan, const Content& content) {
  if (content.depth == 0 || !names_pickle(content.name)) return {};
  scan.evidence.add({.verdict = Verdict::Malformed,
                     .code = "MalformedPickle",
                     .message = "is no pickle, as its name claims",
                     .place = content.place,
                     .offset = 0});
  return {};
}

/// Runs streams until one breaks off, something else follows, or `most` were run.
struct Run {
  std::uint64_t streams = 0;
  std::uint64_t end = 0;
  bool broken = false;
  bool joblib = false;
};

Run run_streams(Scan& scan, const Content& content, std::uint64_t most) {
  Run run;
  const SourcePtr& source = content.source;
  while (run.streams < most && run.end < source->size() && may_start_pickle(source, run.end)) {
    const Outcome outcome = run_stream(scan, content, run.end);
    if (!is_convincing(outcome) && !is_declared(content, run.end)) break;
    note_stream(scan, content, outcome);
    ++run.streams;
    run.joblib = run.joblib || numpy::names_wrapper(outcome.graph);
    run.end = outcome.end;
    run.broken = outcome.failure.has_value();
    if (run.broken) break;
  }
  return run;
}

}  // namespace

std::string scan_pickles(Scan& scan, const Content& content) {
  const Run run = run_streams(scan, content, kMostStreams);
  if (run.streams == 0) return note_no_pickle(scan, content);
  note_hidden(scan, content);
  if (run.streams == kMostStreams) {
    note_too_many(scan, content, run.end);
  } else if (!run.broken) {
    note_end(scan, content, run.streams, run.end);
  }
  return run.joblib ? "joblib" : "pickle";
}

std::string scan_legacy(Scan& scan, const Content& content) {
  const Run run = run_streams(scan, content, kLegacyStreams);
  if (run.streams < kLegacyStreams && !run.broken) {
    scan.evidence.add(
        {.verdict = Verdict::Malformed,
         .code = "MalformedCheckpoint",
         .message = fmt::format("a legacy stream of {} pickles, {} needed", run.streams, kLegacyStreams),
         .place = content.place,
         .offset = run.end});
  }
  return "torch-legacy";
}

}  // namespace weighbridge::scanning
