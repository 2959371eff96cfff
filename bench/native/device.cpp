// What 16 threads get out of the disk past the page cache, each with a request of 1 MiB at a time. A
// yardstick, and no limit: a ring with as many requests in flight can be faster.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <weighbridge/large_pages.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "work.hpp"

namespace bench {
namespace {

constexpr std::size_t kRequest = std::size_t{1} << 20;
constexpr std::size_t kAtOnce = 16;

/// Memory of whole requests with its pages, which are large: of small ones no more than 254 go with one
/// request to some disks, whose queue then holds one at a time.
class Memory {
 public:
  explicit Memory(std::size_t bytes)
      : bytes_((bytes + kRequest - 1) / kRequest * kRequest),
        first_(static_cast<std::byte*>(weighbridge::large_page_memory().allocate(bytes_))) {
    std::memset(first_, 'x', bytes_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { weighbridge::large_page_memory().deallocate(first_, bytes_); }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::byte* at(std::size_t offset) const noexcept { return first_ + offset; }

 private:
  std::size_t bytes_;
  std::byte* first_;
};

class DirectFile {
 public:
  DirectFile(const std::string& path, int flags)
      : path_(path), descriptor_(::open(path.c_str(), flags | O_DIRECT | O_CLOEXEC, 0644)) {
    check(descriptor_ >= 0);
  }
  DirectFile(const DirectFile&) = delete;
  DirectFile& operator=(const DirectFile&) = delete;
  ~DirectFile() { ::close(descriptor_); }

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  void check(bool succeeded) const {
    if (!succeeded) throw std::system_error(errno, std::generic_category(), path_);
  }

 private:
  std::string path_;
  int descriptor_;
};

/// Has every request done by one of 16 threads, which add up what was moved. Throws when that is less than
/// `bytes`.
void request_all(std::size_t bytes, const std::function<ssize_t(std::size_t offset)>& request) {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> moved = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kAtOnce);
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      threads.emplace_back([&] {
        for (std::size_t at = kRequest * next++; at < bytes; at = kRequest * next++) {
          moved += static_cast<std::size_t>(std::max<ssize_t>(request(at), 0));
        }
      });
    }
  }
  if (moved < bytes) throw std::runtime_error("the device moved fewer bytes than there are");
}

class DeviceRead final : public Work {
 public:
  explicit DeviceRead(Arguments arguments)
      : path_(arguments[0]), bytes_(std::filesystem::file_size(path_)), memory_(bytes_) {}

  void run() override {
    const DirectFile file(path_, O_RDONLY);
    request_all(bytes_, [&](std::size_t at) {
      return ::pread(file.descriptor(), memory_.at(at), kRequest, static_cast<off_t>(at));
    });
  }
  void drop() override {}
  [[nodiscard]] std::string listing() const override { return ""; }

 private:
  std::string path_;
  std::size_t bytes_;
  Memory memory_;
};

/// The space is taken first, and the file synced in the end.
class DeviceWrite final : public Work {
 public:
  explicit DeviceWrite(Arguments arguments) : path_(arguments[0]), memory_(std::stoul(arguments[1])) {}

  void run() override {
    const DirectFile file(path_, O_WRONLY | O_CREAT | O_TRUNC);
    file.check(::fallocate(file.descriptor(), 0, 0, static_cast<off_t>(memory_.bytes())) == 0);
    request_all(memory_.bytes(), [&](std::size_t at) {
      return ::pwrite(file.descriptor(), memory_.at(at), kRequest, static_cast<off_t>(at));
    });
    file.check(::fsync(file.descriptor()) == 0);
  }
  void drop() override {}
  [[nodiscard]] std::string listing() const override { return ""; }

 private:
  std::string path_;
  Memory memory_;
};

}  // namespace

WorkPtr make_device_read(Arguments arguments) { return std::make_unique<DeviceRead>(arguments); }
WorkPtr make_device_write(Arguments arguments) { return std::make_unique<DeviceWrite>(arguments); }

}  // namespace bench
