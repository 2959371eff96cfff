// Where bytes come from: memory, a file, a part of another source.
//
// All functions of a ByteSource may be called by several threads at once. Reads are exact: they
// give every byte asked for or throw. A source is immutable; a file that changes its size after
// it was opened is an IoError, never a short read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/export.hpp>

namespace weighbridge {

/// Bytes together with whatever keeps them alive: a mapping, an allocation, somebody's object.
/// Copies share; the bytes live until the last copy is gone. Never written through.
class WB_EXPORT Buffer {
 public:
  Buffer() = default;
  /// Borrows `bytes`, which `owner` keeps alive.
  Buffer(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) noexcept
      : bytes_(bytes), owner_(std::move(owner)) {}
  /// Takes the vector over.
  static Buffer take(std::vector<std::byte> bytes);
  static Buffer take(std::string bytes);

  [[nodiscard]] std::span<const std::byte> bytes() const& noexcept WB_LIFETIME_BOUND { return bytes_; }
  std::span<const std::byte> bytes() const&& = delete;  // the owner would be gone
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// The same owner, fewer bytes. REQUIRES: offset + length <= size().
  [[nodiscard]] Buffer part(std::size_t offset, std::size_t length) const;

 private:
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

/// A range of an open file, for copies that stay inside the kernel.
struct FileExtent {
  int descriptor = -1;  ///< Borrowed: lives as long as the source.
  std::uint64_t offset = 0;
};

class WB_EXPORT ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource();

  /// Bytes in the source; constant.
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  /// Fills `out` with the bytes from `offset` on. Throws IoError when they cannot all be had.
  virtual void read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;

  /// The range without a copy, or nothing when this source has no such way.
  [[nodiscard]] virtual std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const;

  /// A hint that these bytes will be looked at soon, and those around them will not: what of them is not in
  /// memory is fetched, without waiting for it. A touch of a mapping reads far around it otherwise, which
  /// stays so for long stretches. Does nothing where there is no such way, and for what lies outside the
  /// source.
  virtual void expect(std::uint64_t offset, std::uint64_t length) const noexcept;

  /// The open file and offset where `offset` of this source lies unchanged, if it does.
  [[nodiscard]] virtual std::optional<FileExtent> file_extent(std::uint64_t offset) const;

  /// The path of a file, for messages and reports; empty for what is none.
  [[nodiscard]] virtual std::string name() const;

  /// The range as a Buffer: mapped where possible, otherwise read into memory.
  /// The caller has checked `length` against its own bounds.
  [[nodiscard]] Buffer read(std::uint64_t offset, std::uint64_t length) const;

 protected:
  /// Throws IoError unless [offset, offset + length) lies inside the source.
  void check_range(std::uint64_t offset, std::uint64_t length) const;
};

using SourcePtr = std::shared_ptr<const ByteSource>;

/// A source over bytes in memory; shares their ownership.
WB_EXPORT SourcePtr memory_source(Buffer bytes);

/// `length` bytes of `parent` from `offset` on; maps and copies in the kernel where the parent does.
/// Throws IoError when the range leaves the parent.
WB_EXPORT SourcePtr sub_source(SourcePtr parent, std::uint64_t offset, std::uint64_t length);

/// How a file is read.
enum class ReadMode : std::uint8_t {
  Auto,        ///< Mapped on local file systems, positional reads on network ones.
  Mapped,      ///< A file that shrinks under a mapping raises SIGBUS, as everywhere.
  Positional,  ///< Never mapped: works on every file system, cannot raise SIGBUS.
};

/// Opens a regular file for reading. Throws IoError; directories, pipes and devices are refused.
/// The mapping, of the whole file, is given back when the source and all that map() gave are gone: one of 256
/// MiB or more by a thread of its own, for which nobody waits.
WB_EXPORT SourcePtr open_file(const std::filesystem::path& path, ReadMode mode = ReadMode::Auto);

/// The same over an open descriptor of a regular file, which is duplicated: the caller keeps its own.
WB_EXPORT SourcePtr open_descriptor(int descriptor, ReadMode mode = ReadMode::Auto);

}  // namespace weighbridge
