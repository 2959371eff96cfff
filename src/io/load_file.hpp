// One file of a load: what it is, how it is read, and what was done so far.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include <weighbridge/load.hpp>

#include "io/descriptor.hpp"
#include "io/load_choice.hpp"
#include "io/load_parts.hpp"

namespace weighbridge::io {

/// Size and time of the last change: what tells that a file was written to.
struct FileStamp {
  std::int64_t size = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Made once and then used by all threads of a load, except for what says otherwise.
class LoadFile {
 public:
  /// Looks at the file and chooses. `group` is borrowed. Throws IoError when it is not what it was when it
  /// was opened.
  LoadFile(const LoadGroup& group, const LoadOptions& options);

  [[nodiscard]] const LoadGroup& group() const noexcept { return group_; }
  [[nodiscard]] const ByteSource& source() const noexcept { return *group_.source; }
  [[nodiscard]] LoadMode mode() const noexcept { return choice_.mode; }

  /// The descriptor to read by, whose position 0 is byte -base() of the source; -1 where there is none.
  [[nodiscard]] int descriptor() const noexcept;
  [[nodiscard]] std::uint64_t in_file(std::uint64_t offset) const noexcept { return offset + base_; }

  /// What a direct read's offset, length and memory must be multiples of.
  [[nodiscard]] std::uint64_t block_bytes() const noexcept { return block_; }
  [[nodiscard]] std::uint64_t memory_alignment() const noexcept { return memory_alignment_; }

  void count(std::uint64_t bytes_read) noexcept { read_ += bytes_read; }
  void note_io_uring() noexcept { io_uring_ = true; }

  /// Throws IoError when the file was written to since the load began.
  void check_unchanged() const;
  [[nodiscard]] LoadedFile report() const;

 private:
  [[nodiscard]] LoadFacts facts() const;
  void find_file();
  void open_direct();
  void open_exact();

  const LoadGroup& group_;
  LoadChoice choice_;
  int shared_ = -1;  // the source's own descriptor
  std::uint64_t base_ = 0;
  Descriptor own_;  // for direct or exact reads
  std::uint64_t block_ = 1;
  std::uint64_t memory_alignment_ = 1;
  std::optional<FileStamp> stamp_;
  std::uint64_t wanted_ = 0;
  std::atomic<std::uint64_t> read_ = 0;
  std::atomic<bool> io_uring_ = false;
};

}  // namespace weighbridge::io
