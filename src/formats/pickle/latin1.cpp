#include "formats/pickle/latin1.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace weighbridge::pickle {
namespace {

constexpr std::uint64_t kChunk = 64 * 1024;

class Latin1Decoder {
 public:
  explicit Latin1Decoder(std::string& out) : out_(out) {}

  bool feed(std::string_view bytes) {
    return std::ranges::all_of(bytes, [this](char byte) { return feed(static_cast<unsigned char>(byte)); });
  }
  [[nodiscard]] bool complete() const { return lead_ == 0; }

 private:
  // Characters up to U+00FF are one byte, or C2 or C3 and one byte that follows.
  bool feed(unsigned char byte) {
    if (lead_ == 0 && byte < 0x80) {
      out_.push_back(static_cast<char>(byte));
      return true;
    }
    if (lead_ == 0) {
      lead_ = byte;
      return byte == 0xC2 || byte == 0xC3;
    }
    out_.push_back(static_cast<char>(lead_ == 0xC3 ? byte + 0x40 : byte));
    lead_ = 0;
    return (byte & 0xC0) == 0x80;
  }

  std::string& out_;
  unsigned char lead_ = 0;
};

}  // namespace

std::optional<std::string> decode_to_latin1(const ByteSource& text) {
  std::string out;
  Latin1Decoder decoder(out);
  std::vector<char> chunk(std::min(kChunk, text.size()));
  for (std::uint64_t at = 0; at < text.size(); at += chunk.size()) {
    chunk.resize(std::min(kChunk, text.size() - at));
    text.read_at(at, std::as_writable_bytes(std::span(chunk)));
    if (!decoder.feed({chunk.data(), chunk.size()})) return std::nullopt;
  }
  if (!decoder.complete()) return std::nullopt;
  return out;
}

}  // namespace weighbridge::pickle
