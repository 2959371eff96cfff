#include "io/sink.hpp"

#include <algorithm>

#include "io/descriptor.hpp"

namespace weighbridge::io {

void FileSink::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  write_at(descriptor_, offset, bytes, path_);
}

std::uint64_t FileSink::copy(FileExtent from, std::uint64_t offset, std::uint64_t length) {
  return copy_in_kernel(from, descriptor_, offset, length);
}

void MemorySink::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::ranges::copy(bytes, out_.subspan(offset, bytes.size()).begin());
}

void StreamSink::write(std::uint64_t /*offset*/, std::span<const std::byte> bytes) {
  write_in_order(descriptor_, bytes, path_);
}

}  // namespace weighbridge::io
