#include "base/base64.hpp"

#include <algorithm>
#include <string_view>

namespace weighbridge {
namespace {

unsigned byte_of(std::span<const std::byte> bytes, std::size_t i) {
  return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0;
}

}  // namespace

void append_base64(std::string& out, std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const unsigned triple = byte_of(bytes, i) << 16 | byte_of(bytes, i + 1) << 8 | byte_of(bytes, i + 2);
    const std::size_t digits = std::min<std::size_t>(bytes.size() - i, 3) + 1;
    for (std::size_t k = 0; k < 4; ++k) out += k < digits ? kDigits[triple >> (18 - 6 * k) & 63] : '=';
  }
}

}  // namespace weighbridge
