// The wire format of protocol buffers, read where it lies: fields with their positions in the file.
//
// Nothing is read but tags, lengths and numbers; content is given as an extent. Lengths are of 64 bits,
// so that files above 2 GiB are no special case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::onnx {

/// Bytes [begin, end) of the file.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t size() const noexcept { return end - begin; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// Groups, which ONNX never had, are none of these and are refused.
enum class Wire : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

struct Field {
  std::uint32_t number = 0;
  Wire wire = Wire::Varint;
  std::uint64_t value = 0;  ///< Of Varint, Fixed64 and Fixed32; the length of Bytes.
  std::uint64_t begin = 0;  ///< Where the tag stands.
  Extent content = {};      ///< Behind the tag and, for Bytes, the length.
};

/// A look at a source through a small window: nothing is read that was not asked for, but for some
/// bytes behind it. One thread.
class Window {
 public:
  /// `source` must live as long as this.
  explicit Window(const ByteSource& source);

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// `wanted` bytes from `at` on, fewer at the end of the source. Valid until the next call.
  [[nodiscard]] std::span<const std::byte> peek(std::uint64_t at, std::size_t wanted);

 private:
  void move_to(std::uint64_t at, std::size_t wanted);

  const ByteSource& source_;
  std::uint64_t size_;
  Buffer buffer_;
  std::uint64_t start_ = 0;  ///< Of `buffer_` in the source.
};

/// Throws MalformedCheckpoint: "ONNX file: <what> (byte <offset>)".
[[noreturn]] void refuse_wire(std::string_view what, std::uint64_t offset);

/// The number at `at`, which moves behind it. Throws when it reaches beyond `end` or has more than 64 bits.
[[nodiscard]] std::uint64_t read_varint(Window& window, std::uint64_t& at, std::uint64_t end);

/// 4 or 8 bytes, little-endian. Throws when they reach beyond `end`.
[[nodiscard]] std::uint64_t read_fixed(Window& window, std::uint64_t& at, std::uint64_t end,
                                       std::uint32_t bytes);

/// The fields of one message, one after another.
class FieldReader {
 public:
  FieldReader(Window& window, Extent message) : window_(&window), at_(message.begin), end_(message.end) {}

  /// Nothing at the end of the message. Throws MalformedCheckpoint for what is no field.
  [[nodiscard]] std::optional<Field> next();

 private:
  Window* window_;
  std::uint64_t at_;
  std::uint64_t end_;
};

/// The content of a field of text. Throws MalformedCheckpoint unless it is UTF-8 in a field of bytes,
/// LimitExceeded above `most` bytes; `what` names it in messages.
[[nodiscard]] std::string read_text(Window& window, const Field& field, std::string_view what,
                                    std::uint64_t most);

/// Throws MalformedCheckpoint unless the field is of that wire type.
void require_wire(const Field& field, Wire wire, std::string_view what);

}  // namespace weighbridge::onnx
