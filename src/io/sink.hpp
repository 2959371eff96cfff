// Where a plan's bytes go.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge::io {

/// What came of a copy from file to file.
struct Copied {
  std::uint64_t bytes = 0;      ///< From the first on.
  std::uint64_t in_kernel = 0;  ///< Of these, by copy_file_range.
};

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// What one of several threads writes through; calls of one lane never overlap.
  virtual Sink& lane(unsigned /*number*/) { return *this; }

  /// Puts all of `bytes` at `offset`; they may change when it returns. Throws IoError.
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  /// Copies a part of a file, with no buffer between, as far as that is possible.
  virtual Copied copy(FileExtent from, std::uint64_t offset, std::uint64_t length) = 0;

  /// So many bytes from `offset` on are complete and will not be touched again.
  virtual void finish(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}

  /// Called once, when all has been written: waits for what is still on its way. Throws IoError.
  virtual void complete() {}
};

/// A regular file: any thread, any offset.
class FileSink final : public Sink {
 public:
  /// `descriptor` is borrowed; `path` is for messages. `method` is not Auto.
  FileSink(int descriptor, std::string path, WriteMethod method = WriteMethod::Cached)
      : descriptor_(descriptor), path_(std::move(path)), method_(method) {}
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Copied copy(FileExtent from, std::uint64_t offset, std::uint64_t length) override;
  void finish(std::uint64_t offset, std::uint64_t length) override;
  /// The one that was asked for, or what took its place where the kernel does not have it.
  [[nodiscard]] WriteMethod method() const noexcept { return method_; }

 private:
  std::uint64_t write_uncached(std::uint64_t offset, std::span<const std::byte> bytes);

  int descriptor_;
  std::string path_;
  std::atomic<WriteMethod> method_;
};

/// Memory of the caller's: any thread, any offset.
class MemorySink final : public Sink {
 public:
  explicit MemorySink(std::span<std::byte> out) : out_(out) {}
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Copied copy(FileExtent, std::uint64_t, std::uint64_t) override { return {}; }

 private:
  std::span<std::byte> out_;
};

/// A pipe, socket or terminal: one thread, every byte behind the one before.
class StreamSink final : public Sink {
 public:
  StreamSink(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Copied copy(FileExtent, std::uint64_t, std::uint64_t) override { return {}; }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace weighbridge::io
