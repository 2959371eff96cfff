#include "support/onnx_builder.hpp"

#include <array>

#include "base/endian.hpp"

namespace weighbridge::test {
namespace {

std::string tag(std::uint32_t field, std::uint32_t wire) { return varint(std::uint64_t{field} << 3 | wire); }

}  // namespace

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}

Proto& Proto::number(std::uint32_t field, std::uint64_t value) {
  bytes_ += tag(field, 0) + varint(value);
  return *this;
}

Proto& Proto::fixed32(std::uint32_t field, std::uint32_t value) {
  std::array<char, 4> text{};
  store_le(text.data(), value);
  bytes_ += tag(field, 5) + std::string(text.data(), text.size());
  return *this;
}

Proto& Proto::fixed64(std::uint32_t field, std::uint64_t value) {
  std::array<char, 8> text{};
  store_le(text.data(), value);
  bytes_ += tag(field, 1) + std::string(text.data(), text.size());
  return *this;
}

Proto& Proto::bytes(std::uint32_t field, std::string_view content) {
  bytes_ += tag(field, 2) + varint(content.size());
  bytes_ += content;
  return *this;
}

Proto& Proto::raw(std::string_view content) {
  bytes_ += content;
  return *this;
}

std::string onnx_tensor(std::string_view name, std::uint64_t type, std::uint64_t size, std::string_view raw) {
  return Proto().number(1, size).number(2, type).bytes(8, name).bytes(9, raw);
}

std::string onnx_model(std::string_view graph, std::string_view more) {
  return Proto().number(1, 10).bytes(7, graph).raw(more);
}

std::string onnx_node(std::string_view type, std::string_view attribute, std::string_view name) {
  return Proto().bytes(3, name).bytes(4, type).bytes(5, attribute);
}

}  // namespace weighbridge::test
