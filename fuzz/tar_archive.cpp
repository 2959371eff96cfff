// Any bytes as a tar archive: members that lie apart within the file, or an Error; then as a
// checkpoint, of torch 0.1 or within the archive.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "base/checked.hpp"
#include "formats/tar/archive.hpp"
#include "formats/tar/read.hpp"

namespace {

using namespace weighbridge;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_members(const ByteSource& source, const Limits& limits) {
  std::uint64_t end = 0;
  for (const tar::Member& member : tar::read_members(source, limits)) {
    require(member.header_offset >= end && member.offset == member.header_offset + 512);
    require(range_fits(member.offset, member.bytes, source.size()));
    end = member.offset + member.bytes;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const SourcePtr source = memory_source(Buffer::take(std::vector<std::byte>(bytes.begin(), bytes.end())));
  OpenOptions options;
  options.limits.archive_depth = 2;
  options.limits.inflated_floor = 1 << 16;
  options.limits.inflated_ratio = 2;
  options.limits.pickle_nodes = 100'000;
  options.limits.tensors = 10'000;
  try {
    check_members(*source, options.limits);
    static_cast<void>(tar::read(source, options));
  } catch (const Error& error) {
    require(error.code() != ErrorCode::IoError);  // every range is checked before it is read
  }
  return 0;
}
