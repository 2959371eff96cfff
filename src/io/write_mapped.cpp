#include "io/write_mapped.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/pages.hpp"

namespace weighbridge::io {
namespace {

// So many pages are made in one call, and filled while they are in the processor's cache.
constexpr std::uint64_t kStep = std::uint64_t{1} << 20;
// f_type of statfs(2): file systems that write where the space was taken.
constexpr std::uint32_t kExt4 = 0xEF53;
constexpr std::uint32_t kXfs = 0x58465342;

/// A part of a file, in whole large pages, to be written to. Where the page cache has such, they are asked
/// for: else their size is a guess at what is read next, which several threads confuse. And they are mapped
/// as one only if all of one lies in the window: else each of its small pages costs a fault that looks at all
/// others.
class Window {
 public:
  Window(int descriptor, std::uint64_t begin, std::size_t bytes)
      : base_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor,
                     static_cast<off_t>(begin))),
        bytes_(bytes) {
    if (base_ != MAP_FAILED) ::madvise(base_, bytes_, MADV_HUGEPAGE);
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window() {
    if (base_ != MAP_FAILED) ::munmap(base_, bytes_);
  }

  [[nodiscard]] std::span<std::byte> memory() const noexcept {
    if (base_ == MAP_FAILED) return {};
    return {static_cast<std::byte*>(base_), bytes_};
  }

 private:
  void* base_;
  std::size_t bytes_;
};

struct Stretch {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Brings the pages of a stretch, a step at a time, and has `fill(done, out)` say how much of the room it
/// filled. Ends where that is less than all.
template <typename Fill>
std::uint64_t fill_mapped(int descriptor, Stretch stretch, Fill fill) noexcept {
  const std::uint64_t skipped = stretch.offset % kLargePage;
  const std::uint64_t needed = skipped + stretch.length;
  const Window window(descriptor, stretch.offset - skipped,
                      (needed + kLargePage - 1) / kLargePage * kLargePage);
  if (window.memory().empty()) return 0;
  const std::span<std::byte> memory = window.memory().subspan(skipped);
  std::uint64_t done = 0;
  while (done < stretch.length) {
    const std::uint64_t step = std::min(kStep - (stretch.offset + done) % kStep, stretch.length - done);
    const std::span<std::byte> out = memory.subspan(done, step);
    if (!bring_pages_to_write(out)) break;
    const std::size_t filled = fill(done, out);
    done += filled;
    if (filled < step) break;
  }
  return done;
}

/// As much as a file has and gives. A read into a mapping that has lost its pages is refused, and raises no
/// signal.
std::size_t read_some(int descriptor, std::uint64_t offset, std::span<std::byte> out) noexcept {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(descriptor, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace

bool is_safe_to_map(int descriptor) noexcept {
  struct stat status{};
  struct statfs system{};
  if (::fstat(descriptor, &status) != 0 || status.st_nlink != 0) return false;
  if (::fstatfs(descriptor, &system) != 0) return false;
  const auto type = static_cast<std::uint32_t>(system.f_type);
  return type == kExt4 || type == kXfs;
}

std::uint64_t write_mapped(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  return fill_mapped(descriptor, {offset, bytes.size()},
                     [bytes](std::uint64_t done, std::span<std::byte> out) {
                       std::memcpy(out.data(), bytes.data() + done, out.size());
                       return out.size();
                     });
}

std::uint64_t copy_mapped(FileExtent from, int descriptor, std::uint64_t offset,
                          std::uint64_t length) noexcept {
  return fill_mapped(descriptor, {offset, length}, [from](std::uint64_t done, std::span<std::byte> out) {
    return read_some(from.descriptor, from.offset + done, out);
  });
}

}  // namespace weighbridge::io
