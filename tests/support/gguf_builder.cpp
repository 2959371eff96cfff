#include "support/gguf_builder.hpp"

#include <algorithm>

namespace weighbridge::test {

std::string GgufBuilder::bytes_of(std::uint64_t value, std::size_t bytes) const {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  if (big_endian_) std::ranges::reverse(out);
  return out;
}

std::string GgufBuilder::string_of(std::string_view text) const {
  return bytes_of(text.size(), 8) + std::string(text);
}

void GgufBuilder::pair(std::string_view key, std::uint32_t type, std::string_view value) {
  pairs_.push_back(string_of(key) + bytes_of(type, 4) + std::string(value));
}

void GgufBuilder::text(std::string_view key, std::string_view value) { pair(key, 8, string_of(value)); }

void GgufBuilder::number(std::string_view key, std::uint32_t type, std::uint64_t value, std::size_t bytes) {
  pair(key, type, bytes_of(value, bytes));
}

GgufTensor& GgufBuilder::tensor(std::string name, Shape shape, std::uint32_t type, std::string content) {
  tensors_.push_back(
      {.name = std::move(name), .shape = std::move(shape), .type = type, .content = std::move(content)});
  return tensors_.back();
}

std::string GgufBuilder::bytes() const {
  const auto pad = [this](std::string& out) {
    out.resize((out.size() + alignment - 1) / alignment * alignment);
  };
  std::string out = "GGUF" + bytes_of(version, 4) + bytes_of(tensor_count.value_or(tensors_.size()), 8) +
                    bytes_of(pair_count.value_or(pairs_.size()), 8);
  for (const std::string& pair : pairs_) out += pair;
  std::string data;
  for (const GgufTensor& tensor : tensors_) {
    const auto dimensions = static_cast<std::uint32_t>(tensor.shape.size());
    out += string_of(tensor.name) + bytes_of(tensor.dimensions.value_or(dimensions), 4);
    for (std::size_t i = tensor.shape.size(); i-- > 0;) out += bytes_of(tensor.shape[i], 8);
    out += bytes_of(tensor.type, 4) + bytes_of(tensor.offset.value_or(data.size()), 8);
    data += tensor.content;
    pad(data);
  }
  pad(out);
  return out + data + end;
}

SourcePtr GgufBuilder::source() const { return memory_source(Buffer::take(bytes())); }

}  // namespace weighbridge::test
