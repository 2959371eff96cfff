#include "io/transform.hpp"

#include <cstring>

#include "base/endian.hpp"

namespace weighbridge::io {
namespace {

template <typename T>
void swap_all(std::span<std::byte> bytes) noexcept {
  for (std::size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    T value;
    std::memcpy(&value, &bytes[i], sizeof value);
    value = reverse_bytes(value);
    std::memcpy(&bytes[i], &value, sizeof value);
  }
}

std::uint64_t normalize_booleans(std::span<std::byte> bytes) noexcept {
  std::uint64_t changed = 0;
  for (std::byte& byte : bytes) {
    changed += byte > std::byte{1} ? 1U : 0U;
    byte = byte != std::byte{0} ? std::byte{1} : std::byte{0};
  }
  return changed;
}

}  // namespace

std::uint64_t transform_width(Transform transform) noexcept {
  switch (transform) {
    case Transform::Swap2:
      return 2;
    case Transform::Swap4:
      return 4;
    case Transform::Swap8:
      return 8;
    case Transform::None:
    case Transform::Booleans:
      break;
  }
  return 1;
}

std::uint64_t apply_transform(Transform transform, std::span<std::byte> bytes) noexcept {
  switch (transform) {
    case Transform::None:
      break;
    case Transform::Swap2:
      swap_all<std::uint16_t>(bytes);
      break;
    case Transform::Swap4:
      swap_all<std::uint32_t>(bytes);
      break;
    case Transform::Swap8:
      swap_all<std::uint64_t>(bytes);
      break;
    case Transform::Booleans:
      return normalize_booleans(bytes);
  }
  return 0;
}

}  // namespace weighbridge::io
