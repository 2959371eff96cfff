// What it takes to have a file in the page cache and mapped, with so many faults at once.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "work.hpp"

namespace bench {
namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;
constexpr std::size_t kPage = 4096;

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
  [[nodiscard]] const volatile std::byte* first() const noexcept {
    return static_cast<const std::byte*>(first_);
  }

 private:
  [[noreturn]] static void fail(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path);
  }

  int descriptor_;
  std::size_t bytes_ = 0;
  void* first_ = MAP_FAILED;
};

/// Looks at a byte of every page. Each thread takes the next large page that nobody has.
class Fill final : public Work {
 public:
  explicit Fill(Arguments arguments) : path_(arguments[0]), at_once_(std::stoul(arguments[1])) {}

  void run() override {
    const MappedFile& file = file_.emplace(path_);
    file.use_large_pages();
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < at_once_; ++i) threads.emplace_back([&] { touch(file, next); });
    for (std::thread& thread : threads) thread.join();
  }
  void drop() override { file_.reset(); }
  [[nodiscard]] std::string listing() const override { return ""; }

 private:
  static void touch(const MappedFile& file, std::atomic<std::size_t>& next) {
    for (std::size_t at = 0; (at = next.fetch_add(kLargePage)) < file.bytes();) {
      const std::size_t end = std::min(at + kLargePage, file.bytes());
      for (; at < end; at += kPage) static_cast<void>(file.first()[at]);
    }
  }

  std::string path_;
  std::size_t at_once_;
  std::optional<MappedFile> file_ = {};
};

}  // namespace

WorkPtr make_fill(Arguments arguments) { return std::make_unique<Fill>(arguments); }

}  // namespace bench
