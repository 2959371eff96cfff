// The quick way, through windows of several sizes, and the general way to read a header give the same
// records, or the same error with the same message, and the same findings. The input is the text of a
// header.
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "core/header_paths.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (weighbridge::find_invalid_utf8(text)) return 0;
  if (!weighbridge::test::paths_agree(text)) std::abort();
  return 0;
}
