#include <algorithm>
#include <string>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "scan/content.hpp"

namespace weighbridge::scanning {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kMostHeader = 1 << 20;

/// Behind the magic: version, and the header's length in 2 bytes (version 1) or 4.
std::uint64_t header_end(const ByteSource& source, const std::string& head) {
  const bool short_length = head.size() > 6 && head[6] == 1;
  const std::size_t begin = short_length ? 10 : 12;
  if (head.size() < begin) throw Error(ErrorCode::MalformedCheckpoint, "the array file ends in its header");
  const char* at = head.data() + 8;
  const std::uint64_t length = short_length ? load_le<std::uint16_t>(at) : load_le<std::uint32_t>(at);
  if (length > kMostHeader || !range_fits(begin, length, source.size())) {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("the array file's header of {} bytes does not fit", length));
  }
  return begin + length;
}

/// "descr" of a dtype that holds objects has an O: '|O', or a field of it.
bool holds_objects(std::string_view header) {
  const std::size_t descr = header.find("descr");
  if (descr == header.npos) return true;  // A header that hides it is as bad as one that says so.
  const std::size_t end = header.find("fortran_order", descr);
  return header.substr(descr, end == header.npos ? end : end - descr).find('O') != header.npos;
}

}  // namespace

bool is_npy(const ByteSource& source) { return read_head(source, kMagic.size()) == kMagic; }

// numpy.load(allow_pickle=True) unpickles what follows the header of an array of objects.
std::string scan_npy(Scan& scan, const Content& content) {
  const std::uint64_t end = header_end(*content.source, read_head(*content.source, 12));
  if (!holds_objects(read_head(*content.source, end))) return "npy";
  const std::uint64_t rest = content.source->size() - end;
  Content pickle = inside(content, sub_source(content.source, end, rest), "objects");
  pickle.name = "objects.pkl";
  scan_pickles(scan, pickle);
  return "npy";
}

}  // namespace weighbridge::scanning
