// Protocol buffers as they stand: fields one behind the other, without a schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weighbridge::tensorflow {

/// One field. Of `number` and `bytes` the wire type says which one holds.
struct Field {
  std::uint32_t id = 0;
  bool is_bytes = false;
  std::uint64_t number = 0;  ///< A varint, or 4 or 8 bytes.
  std::string_view bytes = {};
};

/// Reads texts from front to back. What is taken points into the text.
class Wire {
 public:
  explicit Wire(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

  // All of these throw MalformedCheckpoint when the text ends before.

  /// At most 10 bytes.
  std::uint64_t take_varint();
  std::string_view take_bytes(std::uint64_t count);
  /// The next field of a message; nothing behind the last. Groups are refused.
  std::optional<Field> take_field();

 private:
  std::string_view rest_;
};

}  // namespace weighbridge::tensorflow
