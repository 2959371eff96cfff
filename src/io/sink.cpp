#include "io/sink.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/uio.h>

#include "io/descriptor.hpp"
#include "io/write_mapped.hpp"

namespace weighbridge::io {
namespace {

constexpr int kDontCache = 0x80;  // RWF_DONTCACHE, which older headers do not name
constexpr std::size_t kWorthMapping = std::size_t{256} << 10;

}  // namespace

void FileSink::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::uint64_t done = 0;
  if (method_ == WriteMethod::Uncached) done = write_uncached(offset, bytes);
  if (method_ == WriteMethod::Mapped && bytes.size() >= kWorthMapping) {
    done = write_mapped(descriptor_, offset, bytes);
    if (done < bytes.size()) method_ = WriteMethod::Cached;
  }
  write_at(descriptor_, offset + done, bytes.subspan(done), path_);
}

/// Returns how much was written when the kernel would not go on: the usual way finds out why.
std::uint64_t FileSink::write_uncached(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::uint64_t done = 0;
  while (done < bytes.size()) {
    const auto left = bytes.subspan(done);
    const iovec piece{.iov_base = const_cast<std::byte*>(left.data()), .iov_len = left.size()};
    const ssize_t put = ::pwritev2(descriptor_, &piece, 1, static_cast<off_t>(offset + done), kDontCache);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) method_ = WriteMethod::Streamed;
    if (put <= 0) break;
    done += static_cast<std::uint64_t>(put);
  }
  return done;
}

void FileSink::finish(std::uint64_t offset, std::uint64_t length) {
  if (method_ == WriteMethod::Cached || method_ == WriteMethod::Mapped) return;
  // Only a start: what fails on the way is reported when the file is made durable.
  static_cast<void>(::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(length),
                                      SYNC_FILE_RANGE_WRITE));
}

Copied FileSink::copy(FileExtent from, std::uint64_t offset, std::uint64_t length) {
  std::uint64_t mapped = 0;
  if (method_ == WriteMethod::Mapped && length >= kWorthMapping) {
    mapped = copy_mapped(from, descriptor_, offset, length);
    if (mapped == length) return {.bytes = mapped};
    method_ = WriteMethod::Cached;
    from.offset += mapped;
  }
  const std::uint64_t copied = copy_in_kernel(from, descriptor_, offset + mapped, length - mapped);
  return {.bytes = mapped + copied, .in_kernel = copied};
}

void MemorySink::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::ranges::copy(bytes, out_.subspan(offset, bytes.size()).begin());
}

void StreamSink::write(std::uint64_t /*offset*/, std::span<const std::byte> bytes) {
  write_in_order(descriptor_, bytes, path_);
}

}  // namespace weighbridge::io
