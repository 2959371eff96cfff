#include "scan/search.hpp"

#include <algorithm>

namespace weighbridge::scanning {

std::vector<std::uint64_t> find_all(const ByteSource& source, std::string_view pattern, std::size_t most) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  std::vector<std::uint64_t> found;
  for (std::uint64_t begin = 0; begin < source.size(); begin += kPiece) {
    // Pieces overlap, so that a pattern on their border is seen once and whole.
    const std::uint64_t length = std::min(kPiece + pattern.size() - 1, source.size() - begin);
    const Buffer buffer = source.read(begin, length);
    const std::string_view piece(reinterpret_cast<const char*>(buffer.bytes().data()), length);
    for (std::size_t at = piece.find(pattern); at != piece.npos; at = piece.find(pattern, at + 1)) {
      if (found.size() == most) return found;
      found.push_back(begin + at);
    }
  }
  return found;
}

}  // namespace weighbridge::scanning
