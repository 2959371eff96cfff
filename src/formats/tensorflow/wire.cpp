#include "formats/tensorflow/wire.hpp"

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/tensorflow/failure.hpp"

namespace weighbridge::tensorflow {

std::uint64_t Wire::take_varint() {
  constexpr std::size_t kLongest = 10;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kLongest && i < rest_.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    if (i == kLongest - 1 && byte > 1) break;
    value |= std::uint64_t{byte & 0x7FU} << (7 * i);
    if ((byte & 0x80U) == 0) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  refuse("a number of variable length has no end");
}

std::string_view Wire::take_bytes(std::uint64_t count) {
  if (count > rest_.size()) refuse(fmt::format("{} bytes are announced, {} are there", count, rest_.size()));
  const std::string_view bytes = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return bytes;
}

std::optional<Field> Wire::take_field() {
  if (rest_.empty()) return std::nullopt;
  const std::uint64_t tag = take_varint();
  if (tag >> 3 == 0 || tag > UINT32_MAX) refuse(fmt::format("a message has the field {}", tag >> 3));
  Field field{.id = static_cast<std::uint32_t>(tag >> 3)};
  switch (tag & 7U) {
    case 0:
      field.number = take_varint();
      break;
    case 1:
      field.number = load_le<std::uint64_t>(take_bytes(8).data());
      break;
    case 2:
      field.is_bytes = true;
      field.bytes = take_bytes(take_varint());
      break;
    case 5:
      field.number = load_le<std::uint32_t>(take_bytes(4).data());
      break;
    default:
      refuse(fmt::format("field {} of a message has the wire type {}", field.id, tag & 7U));
  }
  return field;
}

}  // namespace weighbridge::tensorflow
