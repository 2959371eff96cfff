// A file that is put together from stretches of another one, tensors, and bytes of our own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

#include "formats/onnx/wire.hpp"

namespace weighbridge::onnx {

class Pieces {
 public:
  /// Bytes of the file that the pieces are cut from.
  void add_file(Extent extent);
  void add_text(std::string_view text);
  void add_tensor(const TensorEntry& entry, const ByteRuns& runs);
  void add(Pieces pieces);

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// The plan of the whole, with all bytes of our own in one source.
  [[nodiscard]] FilePlan to_plan(const SourcePtr& file) &&;

 private:
  struct Content {
    TensorEntry entry;
    ByteRuns runs;
  };
  using Piece = std::variant<Extent, std::string, Content>;

  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

/// The tag and length of a field of bytes.
[[nodiscard]] std::string bytes_field_head(std::uint32_t number, std::uint64_t length);
[[nodiscard]] std::string bytes_field(std::uint32_t number, std::string_view content);
[[nodiscard]] std::string number_field(std::uint32_t number, std::uint64_t value);

}  // namespace weighbridge::onnx
