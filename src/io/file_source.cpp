#include "io/file_source.hpp"

#include <cerrno>
#include <mutex>

#include <weighbridge/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "io/file_system.hpp"
#include "io/read_ahead.hpp"
#include "io/residency.hpp"
#include "io/unmap.hpp"

namespace weighbridge {
namespace {

/// A whole file, read-only, unmapped when the last Buffer over it is gone.
class Mapping {
 public:
  Mapping(void* base, std::size_t size) noexcept : base_(base), size_(size) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { io::unmap(base_, size_); }

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(base_), size_};
  }

 private:
  void* base_;
  std::size_t size_;
};

class FileSource final : public ByteSource {
 public:
  FileSource(io::Descriptor descriptor, std::string path, std::uint64_t size, ReadMode mode)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), size_(size), mode_(mode), watch_(size) {}

  std::uint64_t size() const override { return size_; }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override;
  std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override;
  void expect(std::uint64_t offset, std::uint64_t length) const noexcept override;
  std::optional<FileExtent> file_extent(std::uint64_t offset) const override {
    return FileExtent{.descriptor = descriptor_.get(), .offset = offset};
  }
  std::string name() const override { return path_; }

 private:
  bool is_mappable() const noexcept;
  void map_file() const;
  void check_size() const;

  io::Descriptor descriptor_;
  std::string path_;
  std::uint64_t size_;
  ReadMode mode_;
  mutable std::once_flag judged_once_;
  mutable bool local_ = false;
  mutable std::once_flag mapped_once_;
  mutable std::shared_ptr<const Mapping> mapping_;
  mutable io::StretchWatch watch_;
};

void FileSource::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  check_range(offset, out.size());
  const std::size_t got = io::read_until_end(descriptor_.get(), offset, out, path_);
  if (got == out.size() && offset + got < size_) return;
  check_size();
  if (got < out.size()) {
    throw Error(ErrorCode::IoError,
                fmt::format("'{}' gave only {} of {} bytes at {}", printable(path_), got, out.size(), offset),
                path_, offset);
  }
}

std::optional<Buffer> FileSource::map(std::uint64_t offset, std::uint64_t length) const {
  check_range(offset, length);
  if (!is_mappable()) return std::nullopt;
  if (length == 0) return Buffer();
  std::call_once(mapped_once_, [this] { map_file(); });
  if (!mapping_) return std::nullopt;
  return Buffer(mapping_->bytes().subspan(offset, length), mapping_);
}

// What is read and not mapped is read exactly as it is.
void FileSource::expect(std::uint64_t offset, std::uint64_t length) const noexcept {
  if (length == 0 || !is_mappable() || !range_fits(offset, length, size_)) return;
  if (!watch_.is_sparse(offset, length)) return;
  if (io::resident_share(descriptor_.get(), offset, length).value_or(0) < 1)
    io::fetch_pages(descriptor_.get(), offset, length);
}

// The file system is asked when somebody wants to map: to read a header takes no longer for it.
bool FileSource::is_mappable() const noexcept {
  if (mode_ != ReadMode::Auto) return mode_ == ReadMode::Mapped;
  std::call_once(judged_once_, [this] { local_ = io::is_local(descriptor_.get()); });
  return local_;
}

// A file that cannot be mapped (address space, file system) is read instead.
void FileSource::map_file() const {
  void* base = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor_.get(), 0);
  if (base != MAP_FAILED) mapping_ = std::make_shared<const Mapping>(base, size_);
}

void FileSource::check_size() const {
  struct stat status{};
  if (::fstat(descriptor_.get(), &status) != 0) throw Error::from_errno(errno, "examine", path_);
  const auto now = static_cast<std::uint64_t>(status.st_size);
  if (now == size_) return;
  throw Error(ErrorCode::IoError,
              fmt::format("'{}' has {} bytes and had {} when it was opened: it changed while it was read",
                          printable(path_), now, size_),
              path_, std::min(now, size_));
}

}  // namespace

SourcePtr io::file_source(Descriptor descriptor, std::string path, ReadMode mode) {
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) throw Error::from_errno(errno, "examine", path);
  require_regular(status.st_mode, path);
  return std::make_shared<FileSource>(std::move(descriptor), std::move(path),
                                      static_cast<std::uint64_t>(status.st_size), mode);
}

SourcePtr open_file(const std::filesystem::path& path, ReadMode mode) {
  // Without O_NONBLOCK the open of a pipe would wait for a writer before it can be refused.
  io::Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!descriptor) throw Error::from_errno(errno, "open", path.native());
  return io::file_source(std::move(descriptor), path.native(), mode);
}

SourcePtr open_descriptor(int descriptor, ReadMode mode) {
  std::string name = fmt::format("descriptor {}", descriptor);
  io::Descriptor own(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!own) throw Error::from_errno(errno, "open", name);
  if ((::fcntl(own.get(), F_GETFL) & O_ACCMODE) == O_WRONLY) throw Error::from_errno(EBADF, "read", name);
  return io::file_source(std::move(own), std::move(name), mode);
}

}  // namespace weighbridge
