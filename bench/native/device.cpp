// What the disk gives and takes past the page cache, with so many requests in flight.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <weighbridge/large_pages.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "io/uring.hpp"
#include "work.hpp"

namespace bench {
namespace {

using weighbridge::io::Ring;

/// Memory with its pages, which are large: of small ones no more than 254 go with one request to some disks,
/// whose queue then holds one at a time.
class Memory {
 public:
  explicit Memory(std::size_t bytes)
      : bytes_(bytes), first_(static_cast<std::byte*>(weighbridge::large_page_memory().allocate(bytes))) {
    std::memset(first_, 'x', bytes_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { weighbridge::large_page_memory().deallocate(first_, bytes_); }

  [[nodiscard]] std::span<std::byte> part(std::size_t at, std::size_t bytes) const noexcept {
    return {first_ + at, bytes};
  }

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

/// Which memory the requests have.
enum class Room {
  Again,    ///< As much as is in flight, again and again: what was there before lies in some cache.
  EachOwn,  ///< Each its own: of as many bytes as are moved, most lie in no cache.
};

/// Moves bytes in requests of one size, each with memory that no other has while it is in flight.
class Mover {
 public:
  Mover(std::size_t bytes, std::size_t request, unsigned at_once, Room room)
      : bytes_(bytes),
        request_(request),
        at_once_(at_once),
        room_(room),
        memory_(request * (room == Room::Again ? at_once : (bytes + request - 1) / request)) {}

  using Begin =
      std::function<void(Ring& ring, std::size_t at, std::span<std::byte> memory, std::uint64_t tag)>;

  /// `begin` takes on the request at an offset. Throws when fewer bytes were moved than there are.
  void move(const Begin& begin) const {
    std::optional<Ring> ring = Ring::open(at_once_);
    if (!ring) throw std::runtime_error("the kernel gives no io_uring");
    std::vector<std::uint64_t> free(at_once_);
    std::iota(free.begin(), free.end(), 0);
    std::size_t moved = 0;
    for (std::size_t at = 0; at < bytes_ || ring->in_flight() > 0;) {
      for (; at < bytes_ && !free.empty(); at += request_) {
        const std::size_t place = room_ == Room::Again ? free.back() * request_ : at;
        begin(*ring, at, memory_.part(place, request_), free.back());
        free.pop_back();
      }
      const Ring::Completion done = ring->wait();
      free.push_back(done.tag);
      moved += static_cast<std::size_t>(std::max<std::int64_t>(done.result, 0));
    }
    if (moved < bytes_) throw std::runtime_error("the device moved fewer bytes than there are");
  }

 private:
  std::size_t bytes_;
  std::size_t request_;
  unsigned at_once_;
  Room room_;
  Memory memory_;
};

class DeviceRead final : public Work {
 public:
  explicit DeviceRead(Arguments arguments)
      : path_(arguments[0]),
        mover_(std::filesystem::file_size(path_), std::stoul(arguments[1]),
               static_cast<unsigned>(std::stoul(arguments[2])), Room::Again) {}

  void run() override {
    const DirectFile file(path_, O_RDONLY);
    mover_.move([&](Ring& ring, std::size_t at, std::span<std::byte> memory, std::uint64_t tag) {
      ring.read(file.descriptor(), at, memory, tag);
    });
  }
  void drop() override {}
  [[nodiscard]] std::string listing() const override { return ""; }

 private:
  std::string path_;
  Mover mover_;
};

/// The space is taken first, and the file synced in the end.
class DeviceWrite final : public Work {
 public:
  explicit DeviceWrite(Arguments arguments)
      : path_(arguments[0]),
        bytes_(std::stoul(arguments[1])),
        mover_(bytes_, std::stoul(arguments[2]), static_cast<unsigned>(std::stoul(arguments[3])),
               arguments.size() > 4 && arguments[4] == "own" ? Room::EachOwn : Room::Again) {}

  void run() override {
    const DirectFile file(path_, O_WRONLY | O_CREAT | O_TRUNC);
    file.check(::fallocate(file.descriptor(), 0, 0, static_cast<off_t>(bytes_)) == 0);
    mover_.move([&](Ring& ring, std::size_t at, std::span<std::byte> memory, std::uint64_t tag) {
      ring.write(file.descriptor(), at, memory, tag);
    });
    file.check(::fsync(file.descriptor()) == 0);
  }
  void drop() override {}
  [[nodiscard]] std::string listing() const override { return ""; }

 private:
  std::string path_;
  std::size_t bytes_;
  Mover mover_;
};

}  // namespace

WorkPtr make_device_read(Arguments arguments) { return std::make_unique<DeviceRead>(arguments); }
WorkPtr make_device_write(Arguments arguments) { return std::make_unique<DeviceWrite>(arguments); }

}  // namespace bench
