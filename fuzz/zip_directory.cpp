// Any bytes as a zip archive: a directory that holds together, or an Error.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/zip/archive.hpp"

namespace {

using namespace weighbridge;

void require(bool condition) {
  if (!condition) std::abort();
}

/// The last bytes before the first, so that the source has to find its way back.
void read_both_ends(const ByteSource& source) {
  std::array<std::byte, 16> bytes{};
  const auto length = std::min<std::uint64_t>(bytes.size(), source.size());
  source.read_at(source.size() - length, std::span(bytes).first(length));
  source.read_at(0, std::span(bytes).first(length));
}

void open_entry(const zip::Archive& archive, const zip::Entry& entry) {
  require(archive.find(entry.name) == &entry);
  try {
    const SourcePtr source = archive.open(entry);
    require(source->size() == entry.bytes);
    read_both_ends(*source);
  } catch (const Error& error) {
    require(entry.method == zip::Method::Deflated);  // a stored entry is readable once it is listed
    require(error.code() == ErrorCode::MalformedArchive || error.code() == ErrorCode::LimitExceeded);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const SourcePtr source = memory_source(Buffer::take(std::vector<std::byte>(bytes.begin(), bytes.end())));
  Limits limits;
  limits.inflated_floor = 1 << 20;
  try {
    const zip::Archive archive = zip::Archive::read(source, limits);
    for (const zip::Entry& entry : archive.entries()) open_entry(archive, entry);
  } catch (const Error& error) {
    require(error.code() != ErrorCode::IoError);  // every range is checked before it is read
  }
  return 0;
}
