#include "formats/torch/json_tree.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{8} << 20;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The value of a hexadecimal digit, or 16.
unsigned hex_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 16;
}

}  // namespace

/// One pass, with a stack of the containers that are open.
class JsonParser {
 public:
  JsonParser(std::string_view text, std::string_view subject, std::uint32_t depth)
      : text_(text), subject_(subject), depth_(depth) {}

  JsonTree run() {
    parse_value();
    while (!open_.empty()) parse_next();
    skip_space();
    if (at_ != text_.size()) refuse("text behind the end of the document");
    return std::move(tree_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw Error(ErrorCode::MalformedCheckpoint, fmt::format("'{}': {} (byte {})", subject_, what, at_),
                std::string(subject_), at_);
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  /// The next element of the innermost container, or its end.
  void parse_next() {
    const JsonId id = open_.back();
    const bool object = tree_.values_[id].kind == JsonKind::Object;
    if (take(object ? '}' : ']')) {
      open_.pop_back();
      return;
    }
    if (!tree_.values_[id].items.empty() && !take(',')) refuse("',' or the end of a container needed");
    if (object) {
      skip_space();
      std::string key = parse_string();
      if (!take(':')) refuse("':' needed");
      tree_.values_[id].keys.push_back(std::move(key));
    }
    const JsonId item = parse_value();
    tree_.values_[id].items.push_back(item);
  }

  JsonId parse_value() {
    const auto id = static_cast<JsonId>(tree_.values_.size());
    tree_.values_.emplace_back();
    skip_space();
    const char c = peek();
    if (c == '{' || c == '[') {
      open(id, c == '{' ? JsonKind::Object : JsonKind::Array);
    } else if (c == '"') {
      set(id, JsonKind::String, parse_string());
    } else if (c == '-' || is_digit(c)) {
      set(id, JsonKind::Number, parse_number());
    } else {
      parse_word(id);
    }
    return id;
  }

  void set(JsonId id, JsonKind kind, std::string text) {
    tree_.values_[id].kind = kind;
    tree_.values_[id].text = std::move(text);
  }

  void open(JsonId id, JsonKind kind) {
    if (open_.size() >= depth_) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("'{}': {} containers within each other, which is the limit", subject_, depth_),
                  std::string(subject_), at_);
    }
    ++at_;
    tree_.values_[id].kind = kind;
    open_.push_back(id);
  }

  void parse_word(JsonId id) {
    for (const std::string_view word : {"true", "false", "null"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return set(id, word == "null" ? JsonKind::Null : JsonKind::Bool, std::string(word));
    }
    refuse("a value needed");
  }

  void skip_digits() {
    if (!is_digit(peek())) refuse("a digit needed");
    while (is_digit(peek())) ++at_;
  }

  std::string parse_number() {
    const std::size_t begin = at_;
    if (peek() == '-') ++at_;
    skip_digits();
    if (peek() == '.') {
      ++at_;
      skip_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      skip_digits();
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string parse_string() {
    if (peek() != '"') refuse("a string needed");
    ++at_;
    std::string out;
    while (true) {
      if (at_ == text_.size()) refuse("a string without an end");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) refuse("a control character in a string");
      if (c == '\\') {
        parse_escape(out);
      } else {
        out += c;
      }
    }
  }

  void parse_escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char c = peek();
    ++at_;
    if (c == 'u') return append_utf8(out, parse_code_point());
    const std::size_t which = kLetters.find(c);
    if (c == '\0' || which == std::string_view::npos) refuse("an unknown escape in a string");
    out += kMeanings[which];
  }

  std::uint32_t parse_code_point() {
    const std::uint32_t high = parse_hex();
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high > 0xDBFF || !text_.substr(at_).starts_with("\\u")) refuse("half of a surrogate pair");
    at_ += 2;
    const std::uint32_t low = parse_hex();
    if (low < 0xDC00 || low > 0xDFFF) refuse("half of a surrogate pair");
    return 0x10000 + ((high - 0xD800) << 10U) + (low - 0xDC00);
  }

  std::uint32_t parse_hex() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const unsigned digit = hex_value(peek());
      if (digit > 15) refuse("four hexadecimal digits needed");
      value = value * 16 + digit;
      ++at_;
    }
    return value;
  }

  std::string_view text_;
  std::string_view subject_;
  std::uint32_t depth_;
  std::size_t at_ = 0;
  JsonTree tree_;
  std::vector<JsonId> open_;
};

JsonTree JsonTree::parse(const ByteSource& source, std::string_view subject, const Limits& limits) {
  if (source.size() > kMostBytes) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("'{}' has {} bytes, the limit is {}", subject, source.size(), kMostBytes),
                std::string(subject));
  }
  std::string text(source.size(), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(text)));
  if (find_invalid_utf8(text)) {
    throw Error(ErrorCode::MalformedCheckpoint, fmt::format("'{}' is not valid UTF-8", subject),
                std::string(subject));
  }
  return JsonParser(text, subject, limits.walk_depth).run();
}

std::optional<JsonId> JsonTree::find(JsonId object, std::string_view key) const {
  const JsonValue& value = values_[object];
  const auto found = std::ranges::find(value.keys, key);
  if (found == value.keys.end()) return std::nullopt;
  return value.items[static_cast<std::size_t>(found - value.keys.begin())];
}

const std::vector<JsonId>& JsonTree::elements(JsonId object, std::string_view key) const {
  static const std::vector<JsonId> none;
  const auto found = find(object, key);
  return found && values_[*found].kind == JsonKind::Array ? values_[*found].items : none;
}

std::optional<std::string_view> JsonTree::find_text(JsonId object, std::string_view key) const {
  const auto found = find(object, key);
  if (!found) return std::nullopt;
  const JsonValue& value = values_[*found];
  const bool text = value.kind == JsonKind::String || value.kind == JsonKind::Number;
  return text ? std::optional<std::string_view>(value.text) : std::nullopt;
}

}  // namespace weighbridge::torch
