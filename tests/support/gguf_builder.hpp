// Writes GGUF files for tests: sound ones as ggml would, and ones that lie.
//
//   GgufBuilder gguf;
//   gguf.text("general.architecture", "test");
//   gguf.tensor("w", {2, 3}, 0, floats);
//   SourcePtr source = gguf.source();
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge::test {

struct GgufTensor {
  std::string name;
  Shape shape;  ///< Outermost first; written the other way round.
  std::uint32_t type = 0;
  std::string content;
  std::optional<std::uint64_t> offset = std::nullopt;      ///< In place of the right one.
  std::optional<std::uint32_t> dimensions = std::nullopt;  ///< In place of the number of those written.
};

class GgufBuilder {
 public:
  explicit GgufBuilder(bool big_endian = false) : big_endian_(big_endian) {}

  // Pairs and tensors are written in the order of the calls. References stay valid until the next call.

  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::uint32_t type, std::uint64_t value, std::size_t bytes);
  void u32(std::string_view key, std::uint32_t value) { number(key, 4, value, 4); }
  /// A pair whose value is these bytes.
  void pair(std::string_view key, std::uint32_t type, std::string_view value);
  GgufTensor& tensor(std::string name, Shape shape, std::uint32_t type, std::string content);

  /// `value` in the file's byte order.
  [[nodiscard]] std::string bytes_of(std::uint64_t value, std::size_t bytes) const;
  [[nodiscard]] std::string string_of(std::string_view text) const;

  [[nodiscard]] std::string bytes() const;
  [[nodiscard]] SourcePtr source() const;

  std::uint32_t version = 3;
  std::uint32_t alignment = 32;               ///< How the data is laid out; says nothing about it.
  std::optional<std::uint64_t> tensor_count;  ///< In place of the true ones.
  std::optional<std::uint64_t> pair_count;
  std::string end;  ///< Behind the last tensor.

 private:
  bool big_endian_;
  std::vector<std::string> pairs_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace weighbridge::test
