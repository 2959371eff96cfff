#include <algorithm>
#include <mutex>

#include <weighbridge/convert.hpp>

#include <fmt/format.h>

#include "io/crew.hpp"
#include "io/pieces.hpp"
#include "io/processors.hpp"

namespace weighbridge {
namespace {

constexpr std::uint64_t kWorthThread = std::uint64_t{32} << 20;
constexpr unsigned kMostAtOnce = 4;

/// How many files are written at once, and by how many threads each, as WriteOptions::threads.
struct Sharing {
  unsigned files = 1;
  unsigned threads = 0;
};

/// Writes to one file wait for each other: several files are best written by a thread each. A source that
/// is read from front to back would be read again and again by several.
Sharing share_threads(const std::vector<OutputFile>& files, unsigned asked) {
  const auto in_any_order = [](const OutputFile& file) {
    return std::ranges::all_of(file.plan.steps, io::reads_anywhere);
  };
  const auto large =
      std::ranges::count_if(files, [](const auto& file) { return file.plan.total_bytes >= kWorthThread; });
  const unsigned threads = asked != 0 ? asked : std::min(kMostAtOnce, io::usable_processors());
  if (large < 2 || threads < 2 || !std::ranges::all_of(files, in_any_order)) return {1, asked};
  const auto at_once = static_cast<unsigned>(std::min<std::ptrdiff_t>(large, std::min(threads, kMostAtOnce)));
  return {at_once, threads / at_once};
}

std::uint64_t work_bytes(const OutputFile& file, bool verify) {
  return file.plan.total_bytes * (verify ? 2 : 1);
}

/// The bytes of all files as one count, whichever of them a report is about.
class Work {
 public:
  Work(const Conversion& conversion, const WriteOptions& options)
      : options_(options), done_(conversion.files.size()) {
    for (const OutputFile& file : conversion.files) total_ += work_bytes(file, options.verify);
  }

  /// The options for one of the files, which live no longer than this.
  WriteOptions part(std::size_t file, unsigned threads) {
    WriteOptions part = options_;
    part.threads = threads;
    if (options_.progress) part.progress = [this, file](std::uint64_t now, std::uint64_t) { add(file, now); };
    return part;
  }

 private:
  void add(std::size_t file, std::uint64_t now) {
    const std::lock_guard lock(mutex_);
    sum_ += now - done_[file];
    done_[file] = now;
    options_.progress(sum_, total_);
  }

  const WriteOptions& options_;
  std::mutex mutex_;
  std::vector<std::uint64_t> done_;
  std::uint64_t sum_ = 0;
  std::uint64_t total_ = 0;
};

/// The method is that of most bytes.
WriteReport add_up(const std::vector<WriteReport>& files, unsigned at_once) {
  WriteReport sum = *std::ranges::max_element(files, {}, &WriteReport::bytes_written);
  sum.bytes_written = sum.bytes_copied_in_kernel = sum.booleans_normalized = 0;
  for (const WriteReport& file : files) {
    sum.bytes_written += file.bytes_written;
    sum.bytes_copied_in_kernel += file.bytes_copied_in_kernel;
    sum.booleans_normalized += file.booleans_normalized;
  }
  sum.threads *= at_once;
  return sum;
}

void add_write_findings(const WriteReport& report, Findings& findings) {
  if (report.booleans_normalized == 0) return;
  findings.push_back({.severity = Severity::Warning,
                      .code = "BooleansNormalized",
                      .message = fmt::format("{} bytes of BOOL tensors were neither 0 nor 1 and became 1",
                                             report.booleans_normalized),
                      .subject = {},
                      .offset = std::nullopt});
}

}  // namespace

ConvertReport write_conversion(const Conversion& conversion, OutputFolder& folder,
                               const ConvertOptions& options) {
  const auto& files = conversion.files;
  std::vector<int> descriptors;
  descriptors.reserve(files.size());
  for (const OutputFile& file : files) descriptors.push_back(folder.create(file.name));
  ConvertReport report{
      .write = {}, .files = {}, .cast_overflows = 0, .findings = conversion.checkpoint.findings};
  report.files.resize(files.size());
  const Sharing sharing = share_threads(files, options.write.threads);
  Work work(conversion, options.write);
  io::run_crew(files.size(), sharing.files, [&](std::size_t i, unsigned) {
    report.files[i] = write_descriptor(files[i].plan, descriptors[i], work.part(i, sharing.threads));
  });
  report.cast_overflows = report_casts(conversion.checkpoint, report.findings);
  folder.commit();
  if (!files.empty()) report.write = add_up(report.files, sharing.files);
  add_write_findings(report.write, report.findings);
  return report;
}

}  // namespace weighbridge
