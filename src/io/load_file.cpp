#include "io/load_file.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <weighbridge/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/text.hpp"
#include "io/direct_file.hpp"
#include "io/file_system.hpp"
#include "io/residency.hpp"

namespace weighbridge::io {
namespace {

// A range of this size is worth a read of its own, also where nothing of it is in memory.
constexpr std::uint64_t kLongRange = std::uint64_t{64} << 10;
// Of so many steps each is looked at for what is in memory; of more only where they lie.
constexpr std::size_t kFewSteps = 256;
// Below this there is room.
constexpr std::uint64_t kWorthAsking = std::uint64_t{256} << 20;

std::optional<FileStamp> stamp_of(int descriptor) {
  struct stat status{};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) return std::nullopt;
  return FileStamp{status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

std::uint64_t end_of(const LoadStep& step) {
  std::uint64_t end = step.runs.offset + step.runs.run_bytes;
  for (const RunLoop& loop : step.runs.loops) end += (loop.count - 1) * loop.stride;
  return end;
}

std::optional<double> resident_of(const LoadGroup& group) {
  if (group.steps.size() > kFewSteps) {
    const auto last =
        std::ranges::max_element(group.steps, {}, [](const LoadStep* step) { return end_of(*step); });
    const std::uint64_t begin = group.steps.front()->runs.offset;
    return resident_share(*group.source, begin, std::min(end_of(**last), group.source->size()) - begin);
  }
  double resident = 0;
  double all = 0;
  for (const LoadStep* step : group.steps) {
    const std::uint64_t length = std::min(end_of(*step), group.source->size()) - step->runs.offset;
    const auto share = resident_share(*group.source, step->runs.offset, length);
    if (!share) return std::nullopt;
    resident += *share * static_cast<double>(length);
    all += static_cast<double>(length);
  }
  return resident / all;
}

}  // namespace

LoadFile::LoadFile(const LoadGroup& group, const LoadOptions& options) : group_(group) {
  for (const LoadStep* step : group.steps) wanted_ += step->out.size();
  source().read_at(source().size(), {});  // a file that has another size than when it was opened says so here
  find_file();
  stamp_ = stamp_of(shared_);
  choice_ = choose_mode(options.mode, facts());
  if (choice_.mode == LoadMode::Direct) open_direct();
  if (choice_.exact) open_exact();
}

/// A source whose bytes lie in a file as they are, in one stretch.
void LoadFile::find_file() {
  for (const LoadStep* step : group_.steps) {
    const auto extent = source().file_extent(step->runs.offset);
    const bool same =
        extent &&
        (shared_ < 0 || (extent->descriptor == shared_ && extent->offset == in_file(step->runs.offset)));
    if (!same) {
      shared_ = -1;
      return;
    }
    shared_ = extent->descriptor;
    base_ = extent->offset - step->runs.offset;
  }
}

LoadFacts LoadFile::facts() const {
  LoadFacts facts{.file = shared_ >= 0, .mappable = source().map(0, 1).has_value(), .wanted = wanted_};
  if (!facts.file) return facts;
  facts.remote = !is_local(shared_);
  if (facts.remote) return facts;
  for (const LoadStep* step : group_.steps) {
    if (step->runs.run_bytes >= kLongRange || step->runs.contiguous()) facts.wanted_long += step->out.size();
  }
  facts.resident = resident_of(group_);
  if (wanted_ >= kWorthAsking && facts.resident.value_or(0) < 1) facts.available = available_memory();
  return facts;
}

void LoadFile::open_direct() {
  DirectFile direct = io::open_direct(shared_, O_RDONLY);
  if (!direct.descriptor) {
    choice_ = {LoadMode::Copy, choice_.why + fmt::format("; no direct reads here ({})",
                                                         std::generic_category().message(errno))};
    return;
  }
  own_ = std::move(direct.descriptor);
  block_ = direct.block_bytes;
  memory_alignment_ = direct.memory_alignment;
}

void LoadFile::open_exact() {
  own_ = reopen(shared_, O_RDONLY);
  if (own_) ::posix_fadvise(own_.get(), 0, 0, POSIX_FADV_RANDOM);
}

int LoadFile::descriptor() const noexcept { return own_ ? own_.get() : shared_; }

void LoadFile::check_unchanged() const {
  if (!stamp_ || stamp_of(shared_) == stamp_) return;
  throw Error(ErrorCode::IoError,
              fmt::format("'{}' was written to while it was loaded", printable(source().name())),
              source().name());
}

LoadedFile LoadFile::report() const {
  return {.name = source().name(),
          .mode = choice_.mode,
          .why = choice_.why,
          .bytes_wanted = wanted_,
          .bytes_read = read_,
          .io_uring = io_uring_};
}

}  // namespace weighbridge::io
