#include "formats/gguf/extras.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <utility>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/gguf/cursor.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::uint64_t kShownText = 60;

/// Above it not every integer is a double, which many JSON parsers make of a number.
constexpr std::uint64_t kLargestPlainInteger = (std::uint64_t{1} << 53) - 1;

Cursor cursor_of(const StoredPair& stored) {
  return Cursor(*stored.source, stored.pair.offset, stored.big_endian);
}

void append_unsigned(std::string& out, std::uint64_t value) {
  out += value <= kLargestPlainInteger ? fmt::to_string(value) : fmt::format(R"({{"$int":"{}"}})", value);
}

void append_signed(std::string& out, std::int64_t value) {
  const auto magnitude =
      value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  out += magnitude <= kLargestPlainInteger ? fmt::to_string(value) : fmt::format(R"({{"$int":"{}"}})", value);
}

/// `bits` of a number that JSON has none for.
template <class Bits>
void append_real(std::string& out, double value, Bits bits) {
  if (!std::isfinite(value)) {
    out += fmt::format(R"({{"$bits":"{:0{}x}"}})", bits, 2 * sizeof bits);
    return;
  }
  const std::string digits = fmt::format("{}", value);
  out += digits;
  if (digits.find_first_of(".e") == std::string::npos) out += ".0";
}

void append_string(std::string& out, std::string_view text) {
  if (!find_invalid_utf8(text)) return append_json_string(out, text);
  out += R"({"$bytes":")";
  append_base64(out, std::as_bytes(std::span(text)));
  out += "\"}";
}

void append_value(std::string& out, ValueType type, Cursor& in, std::uint64_t longest) {
  constexpr std::string_view kWhat = "a value";
  switch (type) {
    case ValueType::U8:
      return append_unsigned(out, in.take<std::uint8_t>(kWhat));
    case ValueType::I8:
      return append_signed(out, in.take<std::int8_t>(kWhat));
    case ValueType::U16:
      return append_unsigned(out, in.take<std::uint16_t>(kWhat));
    case ValueType::I16:
      return append_signed(out, in.take<std::int16_t>(kWhat));
    case ValueType::U32:
      return append_unsigned(out, in.take<std::uint32_t>(kWhat));
    case ValueType::I32:
      return append_signed(out, in.take<std::int32_t>(kWhat));
    case ValueType::U64:
      return append_unsigned(out, in.take<std::uint64_t>(kWhat));
    case ValueType::I64:
      return append_signed(out, in.take<std::int64_t>(kWhat));
    case ValueType::F32: {
      const auto bits = in.take<std::uint32_t>(kWhat);
      return append_real(out, static_cast<double>(std::bit_cast<float>(bits)), bits);
    }
    case ValueType::F64: {
      const auto bits = in.take<std::uint64_t>(kWhat);
      return append_real(out, std::bit_cast<double>(bits), bits);
    }
    case ValueType::Bool:
      out += in.take<std::uint8_t>(kWhat) != 0 ? "true" : "false";
      return;
    case ValueType::String:
      return append_string(out, in.take_text(longest, "a string"));
    case ValueType::Array:
      break;  // the reader admits no array in an array
  }
}

class JsonWriter {
 public:
  explicit JsonWriter(const Limits& limits) : limits_(limits) {}

  std::string run(const std::vector<StoredPair>& pairs, const std::vector<std::string>& names) {
    out_ = R"({"version":1,"gguf":{"key_values":[)";
    for (const StoredPair& stored : pairs) append_pair(stored);
    out_ += R"(],"tensors":[)";
    for (const std::string& name : names) {
      if (out_.back() != '[') out_ += ',';
      append_json_string(out_, name);
      check();
    }
    return std::move(out_) + "]}}\n";
  }

 private:
  void append_pair(const StoredPair& stored) {
    const KeyValue& pair = stored.pair;
    if (out_.back() != '[') out_ += ',';
    out_ += "\n{\"key\":";
    append_json_string(out_, pair.key);
    out_ += fmt::format(R"(,"type":"{}{}","value":)", value_type_name(pair.type), pair.array ? "[]" : "");
    Cursor in = cursor_of(stored);
    if (pair.array) out_ += '[';
    for (std::uint64_t i = 0; i < pair.count; ++i) {
      if (i > 0) out_ += ',';
      append_value(out_, pair.type, in, limits_.sidecar_bytes);
      check();
    }
    out_ += pair.array ? "]}" : "}";
  }

  void check() const {
    if (out_.size() <= limits_.sidecar_bytes) return;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the sidecar would exceed its limit of {} bytes", limits_.sidecar_bytes));
  }

  const Limits& limits_;
  std::string out_;
};

std::string summary_of(const StoredPair& stored) {
  const KeyValue& pair = stored.pair;
  const std::string_view type = value_type_name(pair.type);
  if (pair.array) return fmt::format("array of {} {}", pair.count, type);
  Cursor in = cursor_of(stored);
  std::string text;
  if (pair.type != ValueType::String) {
    append_value(text, pair.type, in, 0);
  } else if (pair.bytes - sizeof(std::uint64_t) > kShownText) {
    return fmt::format("str of {} bytes", pair.bytes - sizeof(std::uint64_t));
  } else {
    text = fmt::format("'{}'", printable(in.take_text(kShownText, "a string")));
  }
  return fmt::format("{} {}", type, text);
}

class PairExtras final : public Extras {
 public:
  PairExtras(std::vector<StoredPair> pairs, std::vector<std::string> names)
      : pairs_(std::move(pairs)), names_(std::move(names)) {}

  [[nodiscard]] std::uint64_t count() const override { return pairs_.size(); }

  [[nodiscard]] std::vector<ExtraItem> list(std::uint64_t most) const override {
    std::vector<ExtraItem> items;
    for (const StoredPair& stored : std::span(pairs_).first(std::min<std::uint64_t>(most, pairs_.size()))) {
      items.push_back({.path = stored.pair.key, .summary = summary_of(stored)});
    }
    return items;
  }

  [[nodiscard]] std::string to_json(const Limits& limits) const override {
    return JsonWriter(limits).run(pairs_, names_);
  }

 private:
  std::vector<StoredPair> pairs_;
  std::vector<std::string> names_;
};

}  // namespace

std::optional<std::string> read_text(const StoredPair& stored) {
  if (stored.pair.array || stored.pair.type != ValueType::String) return std::nullopt;
  Cursor in = cursor_of(stored);
  std::string text(in.take_text(stored.pair.bytes, "a string"));
  if (find_invalid_utf8(text)) return std::nullopt;
  return text;
}

std::optional<std::uint64_t> read_number(const StoredPair& stored) {
  if (stored.pair.array || stored.pair.type == ValueType::Bool) return std::nullopt;
  Cursor in = cursor_of(stored);
  std::string text;
  if (value_bytes(stored.pair.type) == 0) return std::nullopt;
  append_value(text, stored.pair.type, in, 0);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::shared_ptr<const Extras> make_extras(std::vector<StoredPair> pairs, std::vector<std::string> names) {
  return std::make_shared<PairExtras>(std::move(pairs), std::move(names));
}

}  // namespace weighbridge::gguf
