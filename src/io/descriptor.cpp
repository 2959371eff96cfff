#include "io/descriptor.hpp"

#include <algorithm>
#include <cerrno>

#include <weighbridge/error.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace weighbridge::io {
namespace {

// Linux moves at most 2 GiB - 4 KiB in one call; smaller pieces also let signals through.
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

void wait_until_writable(int descriptor) {
  pollfd waiting{.fd = descriptor, .events = POLLOUT, .revents = 0};
  ::poll(&waiting, 1, -1);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Descriptor::~Descriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t read_until_end(int descriptor, std::uint64_t offset, std::span<std::byte> out,
                           std::string_view path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t want = std::min(out.size() - done, kLargestTransfer);
    const ssize_t got = ::pread(descriptor, out.data() + done, want, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      throw Error::from_errno(errno, "read", path);
    }
  }
  return done;
}

void write_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, std::string_view path) {
  while (!bytes.empty()) {
    const std::size_t want = std::min(bytes.size(), kLargestTransfer);
    const ssize_t put = ::pwrite(descriptor, bytes.data(), want, static_cast<off_t>(offset));
    if (put >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    } else if (errno != EINTR) {
      throw Error::from_errno(errno, "write", path);
    }
  }
}

void write_in_order(int descriptor, std::span<const std::byte> bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor, bytes.data(), std::min(bytes.size(), kLargestTransfer));
    if (put >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      wait_until_writable(descriptor);
    } else if (errno != EINTR) {
      throw Error::from_errno(errno, "write", path);
    }
  }
}

std::uint64_t copy_in_kernel(FileExtent from, int descriptor, std::uint64_t offset, std::uint64_t length) {
  auto source = static_cast<off_t>(from.offset);
  auto target = static_cast<off_t>(offset);
  std::uint64_t done = 0;
  while (done < length) {
    const std::size_t want = std::min<std::uint64_t>(length - done, kLargestTransfer);
    const ssize_t copied = ::copy_file_range(from.descriptor, &source, descriptor, &target, want, 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied <= 0) break;
    done += static_cast<std::uint64_t>(copied);
  }
  return done;
}

}  // namespace weighbridge::io
