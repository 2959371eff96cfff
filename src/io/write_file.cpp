#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/atomic_file.hpp"
#include "io/crew.hpp"
#include "io/descriptor.hpp"
#include "io/direct_sink.hpp"
#include "io/execute.hpp"
#include "io/pieces.hpp"
#include "io/preallocate.hpp"
#include "io/write_choice.hpp"

namespace weighbridge {
namespace {

std::uint64_t work_bytes(const FilePlan& plan, bool verify) { return plan.total_bytes * (verify ? 2 : 1); }

std::pair<dev_t, ino_t> identity(int descriptor, const std::string& path) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) throw Error::from_errno(errno, "examine", path);
  return {status.st_dev, status.st_ino};
}

/// Writing in place over a file that is still to be read would destroy both.
void refuse_own_source(const FilePlan& plan, int descriptor, const std::string& path) {
  const auto target = identity(descriptor, path);
  std::set<int> seen;
  for (const CopyStep& step : plan.steps) {
    const auto extent = step.source->file_extent(step.runs.offset);
    if (!extent || !seen.insert(extent->descriptor).second) continue;
    if (identity(extent->descriptor, path) == target) {
      throw Error(ErrorCode::InvalidArgument, fmt::format("{} is the file that is read", path), path);
    }
  }
}

WriteReport fill_directly(const FilePlan& plan, io::DirectSink& sink, const WriteOptions& options,
                          io::ProgressMeter& meter, std::string why) {
  WriteReport report = io::carry_out(plan, sink, options.threads, meter);
  report.method = sink.direct_bytes() > 0 ? WriteMethod::Direct : WriteMethod::Cached;
  report.why = std::move(why);
  if (report.method != WriteMethod::Direct) report.why += "; no byte could be written directly";
  report.io_uring = report.method == WriteMethod::Direct && sink.used_io_uring();
  return report;
}

WriteReport fill_cached(const FilePlan& plan, io::FileSink& sink, const WriteOptions& options,
                        io::ProgressMeter& meter, io::WriteChoice choice, io::Frontier* frontier = nullptr) {
  WriteReport report = io::carry_out(plan, sink, choice.one_thread ? 1 : options.threads, meter, frontier);
  report.method = sink.method();
  if (report.method != choice.method) {
    choice.why = choice.method == WriteMethod::Mapped ? "the file could not be mapped"
                                                      : "this system cannot write uncached";
  }
  report.why = std::move(choice.why);
  return report;
}

/// The same by one thread, while another compares what is written, soon behind it.
WriteReport fill_and_compare(const FilePlan& plan, io::FileSink& sink, int descriptor,
                             const WriteOptions& options, io::ProgressMeter& meter, io::WriteChoice choice) {
  const SourcePtr written = open_descriptor(descriptor);
  io::Frontier frontier;
  WriteReport report;
  constexpr std::size_t kWriter = 0;  // the first to start: alone, one thread does both one after the other
  io::run_crew(2, 2, [&](std::size_t job, unsigned) {
    if (job != kWriter) return io::compare_behind(plan, *written, meter, frontier);
    const auto close = [](io::Frontier* each) { each->close(); };
    const std::unique_ptr<io::Frontier, decltype(close)> closing(&frontier, close);
    report = fill_cached(plan, sink, options, meter, std::move(choice), &frontier);
  });
  report.verified = true;
  report.why += "; what is written is compared meanwhile";
  return report;
}

/// Whether a thread that compares can follow the one that writes: the space is taken, so that all of the file
/// can be looked at, and no source is read in two places at once that is cheap from front to back only.
bool can_follow(const FilePlan& plan, const io::WriteFacts& facts, const io::WriteChoice& choice,
                bool space_taken) {
  return choice.one_thread && facts.threads > 1 && space_taken &&
         facts.from_files + plan.head.size() == plan.total_bytes;
}

/// Takes the space and moves all bytes by the method that the options ask for. With `verify` the bytes may be
/// compared meanwhile, which the report says then.
WriteReport fill(const FilePlan& plan, int descriptor, const std::string& path, const WriteOptions& options,
                 io::ProgressMeter& meter, bool verify) {
  const bool space_taken = io::preallocate(descriptor, plan.total_bytes, path);
  const io::WriteFacts facts = io::write_facts(plan, descriptor, space_taken, options);
  io::WriteChoice choice = io::choose_write(options.method, facts);
  if (choice.method == WriteMethod::Mapped && !facts.mappable)
    choice = {WriteMethod::Cached, choice.why + "; a mapping of this file would not be safe"};
  if (choice.method == WriteMethod::Direct) {
    io::DirectFile direct = io::open_direct(descriptor, O_WRONLY);
    if (io::DirectSink::takes(direct)) {
      const unsigned lanes = io::divide(plan.total_bytes, options.threads).lanes;
      io::DirectSink sink(descriptor, std::move(direct), path, lanes);
      return fill_directly(plan, sink, options, meter, std::move(choice.why));
    }
    choice = {WriteMethod::Streamed, choice.why + "; there are no direct writes here"};
  }
  io::FileSink sink(descriptor, path, choice.method);
  if (verify && can_follow(plan, facts, choice, space_taken))
    return fill_and_compare(plan, sink, descriptor, options, meter, std::move(choice));
  return fill_cached(plan, sink, options, meter, std::move(choice));
}

/// Compares what has not been compared yet.
void finish_verifying(const FilePlan& plan, int descriptor, const WriteOptions& options,
                      io::ProgressMeter& meter, WriteReport& report) {
  const SourcePtr written = open_descriptor(descriptor);
  report.verified ? io::check_size(plan, *written)
                  : io::verify_written(plan, *written, options.threads, meter);
  report.verified = true;
}

WriteReport write_in_place(const FilePlan& plan, int descriptor, const std::string& path,
                           const WriteOptions& options, bool verify) {
  refuse_own_source(plan, descriptor, path);
  io::ProgressMeter meter(options, work_bytes(plan, verify));
  WriteReport report = fill(plan, descriptor, path, options, meter, verify);
  const auto end = static_cast<off_t>(plan.total_bytes);
  if (::ftruncate(descriptor, end) != 0) throw Error::from_errno(errno, "cut to size", path);
  // Whoever writes to the descriptor next continues behind the plan, as after a plain write.
  ::lseek(descriptor, end, SEEK_SET);
  if (verify) finish_verifying(plan, descriptor, options, meter, report);
  meter.check_cancelled();
  return report;
}

WriteReport write_in_sequence(const FilePlan& plan, int descriptor, const std::string& path,
                              const WriteOptions& options) {
  io::ProgressMeter meter(options, plan.total_bytes);
  io::StreamSink sink(descriptor, path);
  WriteReport report = io::carry_out(plan, sink, 1, meter);
  report.why = "it takes bytes in order only";
  return report;
}

void make_durable(int descriptor, Durability durability, const std::string& path) {
  if (durability == Durability::None) return;
  const int failed = durability == Durability::Full ? ::fsync(descriptor) : ::fdatasync(descriptor);
  // A pipe or terminal has nothing to sync.
  if (failed != 0 && errno != EINVAL && errno != EROFS) throw Error::from_errno(errno, "write", path);
}

}  // namespace

WriteReport write_file(const FilePlan& plan, const std::filesystem::path& path, const WriteOptions& options) {
  io::AtomicFile file(path, options.overwrite);
  io::ProgressMeter meter(options, work_bytes(plan, options.verify));
  WriteReport report = fill(plan, file.descriptor(), file.path(), options, meter, options.verify);
  if (options.verify) finish_verifying(plan, file.descriptor(), options, meter, report);
  meter.check_cancelled();
  file.commit(options.durability);
  return report;
}

WriteReport write_descriptor(const FilePlan& plan, int descriptor, const WriteOptions& options) {
  const std::string path = fmt::format("descriptor {}", descriptor);
  struct stat status{};
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fstat(descriptor, &status) != 0) throw Error::from_errno(errno, "write", path);
  // A file opened for appending takes every write at its end, like a stream.
  const bool in_place = S_ISREG(status.st_mode) && (flags & O_APPEND) == 0;
  const bool verify = options.verify && in_place && (flags & O_ACCMODE) == O_RDWR;
  WriteReport report = in_place ? write_in_place(plan, descriptor, path, options, verify)
                                : write_in_sequence(plan, descriptor, path, options);
  make_durable(descriptor, options.durability, path);
  return report;
}

WriteReport write_memory(const FilePlan& plan, std::span<std::byte> out, const WriteOptions& options) {
  if (out.size() != plan.total_bytes) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{} bytes of room for {} bytes", out.size(), plan.total_bytes));
  }
  io::ProgressMeter meter(options, plan.total_bytes);
  io::MemorySink sink(out);
  return io::carry_out(plan, sink, options.threads, meter);
}

void write_text_file(const std::filesystem::path& path, std::string_view text, const WriteOptions& options) {
  io::AtomicFile file(path, options.overwrite);
  io::write_at(file.descriptor(), 0, std::as_bytes(std::span(text)), file.path());
  file.commit(options.durability);
}

}  // namespace weighbridge
