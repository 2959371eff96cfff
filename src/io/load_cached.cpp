#include "io/load_cached.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

#include <sys/uio.h>

#include "io/box.hpp"
#include "io/pages.hpp"
#include "io/stream_copy.hpp"

namespace weighbridge::io {
namespace {

// Pages are made this far ahead of the copy that fills them: while they are still in the cache.
constexpr std::uint64_t kAhead = std::uint64_t{2} << 20;
// Fewer pages are made faster by touching them.
constexpr std::uint64_t kWorthMaking = std::uint64_t{64} << 10;
constexpr std::size_t kMostParts = 512;  // two vectors each in one call, of 1024

/// Calls `work` for stretches of at most `bytes`.
template <typename Work>
void in_stretches(const LoadPart& part, std::uint64_t bytes, const Work& work) {
  for (std::uint64_t done = 0; done < part.bytes; done += bytes)
    work(LoadPart{part.step, part.from + done, std::min(bytes, part.bytes - done)});
}

/// Whether the pages between those that are wanted are so few that mapping all costs less than a fault here
/// and there, which maps 16 at a time.
bool is_dense(const Box& box) { return box.source_span() <= 16 * box.out_bytes; }

// Runs that are as long are read in a call for each.
constexpr std::uint64_t kLongRun = 4096;

/// Maps the pages of a part that is no single range; gives how many bytes they span.
std::uint64_t bring_strided(const ByteSource& source, const LoadPart& part) {
  std::uint64_t span = 0;
  for (const Box& box : cut_boxes(part.step->runs, part.from, part.from + part.bytes)) {
    const auto mapped = is_dense(box) ? source.map(box.source, box.source_span()) : std::nullopt;
    if (!mapped) continue;
    span += mapped->size();
    if (!bring_pages(mapped->bytes())) source.read_at(source.size(), {});  // says if it has changed
  }
  return span;
}

/// A source that is only read, never mapped.
class Unmapped final : public ByteSource {
 public:
  explicit Unmapped(const ByteSource& source) : source_(source) {}
  std::uint64_t size() const override { return source_.size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    source_.read_at(offset, out);
  }
  std::string name() const override { return source_.name(); }

 private:
  const ByteSource& source_;
};

void read_strided(const ByteSource& source, const LoadPart& part) {
  read_runs(Unmapped(source), part.step->runs, Transform::None, part.from, part.out());
}

}  // namespace

void append_jobs(std::vector<CachedJob>& jobs, LoadFile& file, std::span<const LoadPart> parts,
                 std::uint64_t bytes) {
  std::size_t first = 0;
  std::uint64_t waiting = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    waiting += parts[i].bytes;
    if (waiting < bytes && i + 1 - first < kMostParts && i + 1 < parts.size()) continue;
    jobs.push_back({.file = &file, .parts = parts.subspan(first, i + 1 - first)});
    first = i + 1;
    waiting = 0;
  }
}

void CachedLane::load(const CachedJob& job) {
  if (job.file->mode() == LoadMode::View) {
    for (const LoadPart& part : job.parts) {
      copy_mapped(part);
      job.file->count(part.bytes);
    }
    return;
  }
  for (auto parts = job.parts; !parts.empty();) {
    const std::size_t near = count_near(parts, options_.coalesce_gap);
    near == 1 ? read_part(*job.file, parts[0]) : read_near(*job.file, parts.first(near));
    job.file->count(parts[0].contiguous() ? parts[near - 1].end() - parts[0].begin() : parts[0].bytes);
    parts = parts.subspan(near);
  }
}

void CachedLane::copy_mapped(const LoadPart& whole) {
  const ByteSource& source = *whole.step->source;
  in_stretches(whole, kAhead, [&](const LoadPart& part) {
    const bool fresh = part.bytes < kWorthMaking || pages_.make(part.out());
    if (!part.contiguous()) return copy_strided(source, part);
    const auto mapped = source.map(part.begin(), part.bytes);
    if (!mapped || !bring_pages(mapped->bytes())) {
      source.read_at(part.begin(), part.out());  // says what is wrong with the file
    } else if (pages_.much() && !fresh) {
      stream_copy(mapped->bytes(), part.out().data());
    } else {
      std::ranges::copy(mapped->bytes(), part.out().begin());
    }
  });
}

/// Out of a mapping, where that pays.
void CachedLane::copy_strided(const ByteSource& source, const LoadPart& whole) {
  const bool readable = whole.step->runs.run_bytes >= kLongRun;
  for (std::uint64_t done = 0; done < whole.bytes;) {
    const std::uint64_t bytes = std::min(map_cost_.stretch(), whole.bytes - done);
    const LoadPart part{whole.step, whole.from + done, bytes};
    map_cost_.bearable() || !readable ? map_rows(source, part) : read_rows(source, part);
    done += bytes;
  }
}

void CachedLane::map_rows(const ByteSource& source, const LoadPart& part) {
  const auto begun = std::chrono::steady_clock::now();
  const std::uint64_t span = bring_strided(source, part);
  if (span > 0) map_cost_.mapped(std::chrono::steady_clock::now() - begun, span);
  read_runs(source, part.step->runs, Transform::None, part.from, part.out());
}

void CachedLane::read_rows(const ByteSource& source, const LoadPart& part) {
  map_cost_.read(part.bytes);
  read_strided(source, part);
}

void CachedLane::read_part(const LoadFile& file, const LoadPart& part) {
  if (part.bytes >= kWorthMaking) pages_.make(part.out());
  if (!part.contiguous()) return read_strided(file.source(), part);
  read_near(file, std::span(&part, 1));
}

/// All parts, and what lies between them, in one call. What that leaves out is read piece by piece, which
/// also finds out why.
void CachedLane::read_near(const LoadFile& file, std::span<const LoadPart> parts) {
  std::uint64_t got = 0;
  if (file.descriptor() >= 0) {
    std::vector<iovec> vectors;
    std::uint64_t at = parts.front().begin();
    for (const LoadPart& part : parts) {
      if (part.begin() > at) vectors.push_back({unwanted(part.begin() - at).data(), part.begin() - at});
      vectors.push_back({part.out().data(), part.bytes});
      at = part.end();
    }
    const ssize_t read = ::preadv(file.descriptor(), vectors.data(), static_cast<int>(vectors.size()),
                                  static_cast<off_t>(file.in_file(parts.front().begin())));
    got = read > 0 ? static_cast<std::uint64_t>(read) : 0;
  }
  const std::uint64_t reached = parts.front().begin() + got;
  for (const LoadPart& part : parts) {
    if (part.end() <= reached) continue;
    const std::uint64_t done = reached > part.begin() ? reached - part.begin() : 0;
    file.source().read_at(part.begin() + done, part.out().subspan(done));
  }
}

std::span<std::byte> CachedLane::unwanted(std::uint64_t bytes) {
  if (!unwanted_) unwanted_ = std::make_unique_for_overwrite<std::byte[]>(options_.coalesce_gap);
  return {unwanted_.get(), bytes};
}

}  // namespace weighbridge::io
