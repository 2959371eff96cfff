#include "formats/numpy/literal.hpp"

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace weighbridge::numpy {
namespace {

/// A structure within a structure takes four levels.
constexpr int kMostDepth = 64;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Literal run() {
    Literal value = parse_value(0);
    skip_blanks();
    if (at_ != text_.size()) fail("nothing more is needed");
    return value;
  }

 private:
  [[noreturn]] void fail(std::string_view needed) const {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("the header of the .npy file breaks off at character {}: {}", at_, needed), {},
                at_);
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }

  char peek() {
    skip_blanks();
    if (at_ == text_.size()) fail("a value is needed");
    return text_[at_];
  }

  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Literal parse_value(int depth) {
    if (depth > kMostDepth) fail("fewer levels are needed");
    const char c = peek();
    if (c == '{') return parse_dict(depth);
    if (c == '[') return parse_list(depth);
    if (c == '(') return parse_tuple(depth);
    if (c == '-' || (c >= '0' && c <= '9')) return parse_integer();
    return parse_word_or_text();
  }

  Literal parse_word_or_text() {
    if (take_word("True")) return {.kind = Literal::Kind::Boolean, .integer = 1};
    if (take_word("False")) return {.kind = Literal::Kind::Boolean, .integer = 0};
    if (take_word("None")) return {};
    // Python 2 may write its texts so.
    if (text_.substr(at_).starts_with("u'") || text_.substr(at_).starts_with("b'")) ++at_;
    return parse_text();
  }

  Literal parse_text() {
    const char quote = text_[at_];
    if (quote != '\'' && quote != '"') fail("a value is needed");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("the end of this text is needed");
    Literal value{.kind = Literal::Kind::Text, .text = std::string(text_.substr(at_ + 1, end - at_ - 1))};
    if (value.text.find('\\') != std::string::npos) fail("a text without escapes is needed");
    if (find_invalid_utf8(value.text)) fail("a text of valid UTF-8 is needed");
    at_ = end + 1;
    return value;
  }

  /// Python 2 writes some integers with an L behind them.
  Literal parse_integer() {
    const bool negative = take('-');
    std::uint64_t value = 0;
    const std::size_t first = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
      if (at_ - first > 18) fail("a number of at most 18 digits is needed");
    }
    if (at_ == first) fail("a digit is needed");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;
    const auto number = static_cast<std::int64_t>(value);
    return {.kind = Literal::Kind::Integer, .integer = negative ? -number : number};
  }

  Literal parse_items(Literal::Kind kind, char close, int depth) {
    Literal value{.kind = kind};
    while (!take(close)) {
      value.items.push_back(parse_value(depth + 1));
      comma_ = take(',');
      if (comma_) continue;
      if (!take(close)) fail(fmt::format("',' or '{}' is needed", close));
      break;
    }
    return value;
  }

  Literal parse_list(int depth) {
    ++at_;
    return parse_items(Literal::Kind::List, ']', depth);
  }

  /// One value in parentheses without a comma is that value.
  Literal parse_tuple(int depth) {
    ++at_;
    comma_ = false;
    Literal value = parse_items(Literal::Kind::Tuple, ')', depth);
    if (value.items.size() != 1 || comma_) return value;
    return Literal(std::move(value.items.front()));
  }

  Literal parse_dict(int depth) {
    ++at_;
    Literal value{.kind = Literal::Kind::Dict};
    while (!take('}')) {
      value.items.push_back(parse_value(depth + 1));
      if (!take(':')) fail("':' is needed");
      value.items.push_back(parse_value(depth + 1));
      if (take(',')) continue;
      if (!take('}')) fail("',' or '}' is needed");
      break;
    }
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool comma_ = false;  // Whether the last sequence ended with one.
};

}  // namespace

Literal parse_literal(std::string_view text) { return Parser(text).run(); }

}  // namespace weighbridge::numpy
