// Any bytes as the index of a sharded checkpoint: plain names that are written as they were read, or an
// Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <weighbridge/error.hpp>
#include <weighbridge/folder.hpp>

#include "formats/sharded/index.hpp"

namespace {

using namespace weighbridge;

SourcePtr source_of(std::string text) { return memory_source(Buffer::take(std::move(text))); }

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const SourcePtr source = source_of(std::string(reinterpret_cast<const char*>(data), size));
    const sharded::Index index = sharded::parse_index(*source, Limits{});
    for (const std::string& file : index.files) require(is_plain_file_name(file));
    const sharded::Index again =
        sharded::parse_index(*source_of(sharded::serialize_index(index, size)), Limits{});
    require(again.files == index.files && again.owner == index.owner);
  } catch (const Error& error) {
    require(error.code() != ErrorCode::IoError);
  }
  return 0;
}
