#include "formats/zip/failure.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge::zip {

Error archive_failure(ErrorCode code, std::string_view what, std::uint64_t offset) {
  return {code, fmt::format("zip archive: {} (byte {})", what, offset), {}, offset};
}

Error entry_failure(ErrorCode code, std::string_view name, std::string_view what, std::uint64_t offset) {
  return {code, fmt::format("entry '{}': {} (byte {})", printable(name), what, offset), std::string(name),
          offset};
}

}  // namespace weighbridge::zip
