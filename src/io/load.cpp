#include <algorithm>
#include <chrono>
#include <deque>

#include <weighbridge/load.hpp>

#include "io/crew.hpp"
#include "io/load_cached.hpp"
#include "io/load_direct.hpp"
#include "io/load_file.hpp"
#include "io/load_parts.hpp"
#include "io/page_maker.hpp"
#include "io/pages.hpp"
#include "io/processors.hpp"
#include "io/progress.hpp"

namespace weighbridge {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLargestPiece = 4 * kMiB;
constexpr std::uint64_t kSmallestPiece = kMiB / 4;
constexpr std::uint64_t kWorthThread = 2 * kMiB;  // for each, so that starting it does not show
constexpr unsigned kMostThreads = 16;
constexpr std::uint64_t kLargestGap = kMiB;

// How many direct reads are in flight at once; each may need a buffer of 1 MiB.
constexpr unsigned kInFlight = 16;
constexpr unsigned kReadersWithoutRing = 8;

unsigned useful_threads(std::uint64_t bytes, unsigned asked) {
  if (asked > 0) return std::min(asked, kMostThreads);
  const std::uint64_t worth = bytes / kWorthThread + 1;
  return static_cast<unsigned>(std::min<std::uint64_t>({io::usable_processors(), kMostThreads, worth}));
}

/// One load from beginning to end.
class Load {
 public:
  Load(std::span<const LoadStep> steps, const LoadOptions& options)
      : options_(bounded(options)),
        groups_(io::group_steps(steps)),
        total_(sum(groups_)),
        threads_(useful_threads(total_, options.threads)),
        pages_(steps, options_),
        meter_(options_.progress, options_.cancel, "the load", total_) {
    for (const io::LoadGroup& group : groups_) files_.emplace_back(group, options_);
  }

  LoadReport run() {
    plan();
    load_cached();
    load_direct();
    for (const io::LoadFile& file : files_) file.check_unchanged();
    return report();
  }

 private:
  // What lies between two ranges that are read as one takes memory.
  static LoadOptions bounded(LoadOptions options) {
    options.coalesce_gap = std::min(options.coalesce_gap, kLargestGap);
    return options;
  }

  static std::uint64_t sum(const std::vector<io::LoadGroup>& groups) {
    std::uint64_t bytes = 0;
    for (const io::LoadGroup& group : groups) {
      for (const LoadStep* step : group.steps) bytes += step->out.size();
    }
    return bytes;
  }

  void plan() {
    // Many pieces for each thread, so that none waits long for the last; no large page is made by two.
    const std::uint64_t smallest = pages_.large() ? io::kLargePage : kSmallestPiece;
    const std::uint64_t piece = std::clamp(total_ / (std::uint64_t{16} * threads_), smallest, kLargestPiece);
    for (io::LoadFile& file : files_) {
      const bool direct = file.mode() == LoadMode::Direct;
      const auto& ranges = parts_.emplace_back(io::cut_ranges(file.group(), direct ? total_ : piece));
      const auto& strided = parts_.emplace_back(io::cut_strided(file.group(), piece));
      if (direct) {
        io::append_direct_reads(reads_, file, ranges, options_.coalesce_gap);
      } else {
        io::append_jobs(jobs_, file, ranges, piece);
      }
      io::append_jobs(jobs_, file, strided, piece);
    }
  }

  void load_cached() {
    const auto lanes = static_cast<unsigned>(std::min<std::size_t>(threads_, jobs_.size()));
    std::vector<io::CachedLane> loaders;
    loaders.reserve(lanes);
    for (unsigned lane = 0; lane < lanes; ++lane) loaders.emplace_back(options_, pages_);
    io::run_crew(jobs_.size(), lanes, [&](std::size_t job, unsigned lane) {
      meter_.check_cancelled();
      loaders[lane].load(jobs_[job]);
      for (const io::LoadPart& part : jobs_[job].parts) meter_.add(part.bytes);
    });
  }

  void load_direct() {
    if (reads_.empty()) return;
    auto ring = options_.io_uring ? io::Ring::open(kInFlight) : std::nullopt;
    const unsigned wanted = ring || options_.threads > 0 ? threads_ : kReadersWithoutRing;
    const auto lanes = static_cast<unsigned>(std::min<std::size_t>(wanted, reads_.size()));
    const unsigned depth = std::max(kInFlight / lanes, 1U);
    std::deque<io::DirectLane> loaders;
    loaders.emplace_back(pages_, meter_, std::move(ring), depth);
    for (unsigned lane = 1; lane < lanes; ++lane) {
      loaders.emplace_back(pages_, meter_, ring_like(loaders.front(), depth), depth);
    }
    std::atomic<std::size_t> next = 0;
    io::run_crew(lanes, lanes, [&](std::size_t lane, unsigned) { loaders[lane].run(reads_, next); });
  }

  static std::optional<io::Ring> ring_like(const io::DirectLane& first, unsigned depth) {
    return first.has_ring() ? io::Ring::open(depth) : std::nullopt;
  }

  [[nodiscard]] LoadReport report() const {
    LoadReport report{
        .files = {}, .bytes_wanted = total_, .bytes_read = 0, .threads = threads_, .seconds = 0};
    for (const io::LoadFile& file : files_) {
      report.files.push_back(file.report());
      report.bytes_read += report.files.back().bytes_read;
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun_;
    report.seconds = taken.count();
    return report;
  }

  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  const LoadOptions options_;
  std::vector<io::LoadGroup> groups_;
  std::uint64_t total_;
  unsigned threads_;
  io::PageMaker pages_;
  io::ProgressMeter meter_;
  std::deque<io::LoadFile> files_;
  std::deque<std::vector<io::LoadPart>> parts_;  // stay where they are: jobs and reads point into them
  std::vector<io::CachedJob> jobs_;
  std::vector<io::DirectRead> reads_;
};

}  // namespace

LoadReport load_into(std::span<const LoadStep> steps, const LoadOptions& options) {
  io::check_steps(steps);
  return Load(steps, options).run();
}

}  // namespace weighbridge
