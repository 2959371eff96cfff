// A JSON document as values by number, for the parts of archives that are JSON.
//
// Strict JSON; nothing is called, resolved or looked up. Memory is proportional to the document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

namespace weighbridge::torch {

using JsonId = std::uint32_t;

enum class JsonKind : std::uint8_t { Null, Bool, Number, String, Array, Object };

struct JsonValue {
  JsonKind kind = JsonKind::Null;
  std::string text = {};               ///< Of a string, decoded; of a number and a bool, as it stands.
  std::vector<std::string> keys = {};  ///< Of an object.
  std::vector<JsonId> items = {};      ///< Of an array; of an object, one for each key.
};

class JsonTree {
 public:
  /// Parses all of `source`. Throws MalformedCheckpoint naming `subject` and the byte; LimitExceeded
  /// for a document above 8 MiB, and for values more than limits.walk_depth deep.
  static JsonTree parse(const ByteSource& source, std::string_view subject, const Limits& limits);

  [[nodiscard]] const JsonValue& at(JsonId id) const { return values_[id]; }
  [[nodiscard]] JsonId root() const noexcept { return 0; }

  /// The value of that key in an object; nothing when there is none or `object` is none.
  [[nodiscard]] std::optional<JsonId> find(JsonId object, std::string_view key) const;
  /// The elements of the array under that key; none when there is no such array.
  [[nodiscard]] const std::vector<JsonId>& elements(JsonId object, std::string_view key) const;
  /// The text under that key, of a string or number.
  [[nodiscard]] std::optional<std::string_view> find_text(JsonId object, std::string_view key) const;

 private:
  friend class JsonParser;
  std::vector<JsonValue> values_;
};

}  // namespace weighbridge::torch
