// A file that is mapped, to be read.
#pragma once

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bench {

inline constexpr std::size_t kLargePage = std::size_t{2} << 20;

class MappedFile {
 public:
  explicit MappedFile(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status{};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) fail(path);
    bytes_ = static_cast<std::size_t>(status.st_size);
    first_ = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, descriptor_, 0);
    if (first_ == MAP_FAILED) fail(path);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    ::munmap(first_, bytes_);
    ::close(descriptor_);
  }

  /// Where the file system has them; it is a little faster.
  void use_large_pages() const noexcept { ::madvise(first_, bytes_, MADV_HUGEPAGE); }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::byte* data() const noexcept { return static_cast<const std::byte*>(first_); }
  /// The same, so that looking at it is not left out.
  [[nodiscard]] const volatile std::byte* first() const noexcept { return data(); }

 private:
  [[noreturn]] static void fail(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path);
  }

  int descriptor_;
  std::size_t bytes_ = 0;
  void* first_ = MAP_FAILED;
};

}  // namespace bench
