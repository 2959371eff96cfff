#include "formats/tensorflow/snappy.hpp"

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/tensorflow/failure.hpp"
#include "formats/tensorflow/wire.hpp"

namespace weighbridge::tensorflow {
namespace {

std::uint64_t take_number(Wire& in, std::uint64_t bytes) {
  std::uint64_t value = 0;
  const std::string_view taken = in.take_bytes(bytes);
  for (std::size_t i = 0; i < taken.size(); ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
  }
  return value;
}

/// Bytes that stand here; the lengths 61 to 64 mean that 1 to 4 bytes with the length follow.
void copy_literal(Wire& in, unsigned tag, std::string& out, std::uint64_t size) {
  constexpr std::uint64_t kLongest = 60;
  std::uint64_t length = (tag >> 2U) + 1;
  if (length > kLongest) length = take_number(in, length - kLongest) + 1;
  if (length > size - out.size()) refuse("a compressed block is longer than it says");
  out += in.take_bytes(length);
}

/// Bytes that came before, maybe over themselves.
void copy_back(std::uint64_t length, std::uint64_t distance, std::string& out, std::uint64_t size) {
  if (distance == 0 || distance > out.size()) {
    refuse(fmt::format("a compressed block goes back {} bytes of {}", distance, out.size()));
  }
  if (length > size - out.size()) refuse("a compressed block is longer than it says");
  for (std::size_t from = out.size() - distance; length > 0; --length) out.push_back(out[from++]);
}

}  // namespace

std::string unpack_snappy(std::string_view packed, std::uint64_t most) {
  Wire in(packed);
  const std::uint64_t size = in.take_varint();
  if (size > most) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the TensorFlow checkpoint: a compressed block has {} bytes, the limit is {}",
                            size, most));
  }
  std::string out;
  while (!in.at_end()) {
    const auto tag = static_cast<unsigned>(take_number(in, 1));
    switch (tag & 3U) {
      case 0:
        copy_literal(in, tag, out, size);
        break;
      case 1:
        copy_back((tag >> 2U & 7U) + 4, std::uint64_t{tag >> 5U} << 8 | take_number(in, 1), out, size);
        break;
      default:
        copy_back((tag >> 2U) + 1, take_number(in, (tag & 3U) == 2 ? 2 : 4), out, size);
    }
  }
  if (out.size() != size) {
    refuse(fmt::format("a compressed block has {} bytes and says {}", out.size(), size));
  }
  return out;
}

}  // namespace weighbridge::tensorflow
