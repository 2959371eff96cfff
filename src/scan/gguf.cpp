#include <tuple>

#include <weighbridge/error.hpp>

#include "formats/gguf/read.hpp"
#include "scan/content.hpp"

namespace weighbridge::scanning {

bool is_gguf(const ByteSource& source) { return gguf::looks_like_gguf(source); }

// A sound file has zeros in its counts, which no pickle can begin with. One that is not may be a pickle that
// begins with a number: G is an opcode.
std::string scan_gguf(Scan& scan, const Content& content) {
  try {
    std::ignore = gguf::parse_file_header(*content.source, scan.limits);
  } catch (const Error&) {
    std::ignore = scan_pickles(scan, content);
    throw;
  }
  return "gguf";
}

}  // namespace weighbridge::scanning
