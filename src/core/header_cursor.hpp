// The words of a header's JSON: punctuation, strings, integers, and values that are skipped.
//
// Strict JSON, with the bounds of the reference on what is skipped. Anything else throws
// InvalidHeaderDeserialization. No recursion, no allocation outside error messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/header_data.hpp"
#include "core/header_report.hpp"
#include "core/header_strings.hpp"

namespace weighbridge {

class HeaderCursor {
 public:
  /// `text` is valid UTF-8, shorter than 4 GiB, outlives the cursor, and is changed by it: escapes
  /// are decoded in place. REQUIRES: kTextPadding NULs behind it.
  explicit HeaderCursor(std::span<char> text) noexcept : text_(text) {}

  /// The tensor (or `__metadata__`) that errors from here on are about. Borrowed.
  void set_subject(Subject subject) noexcept { subject_ = subject; }
  [[nodiscard]] Subject subject() const noexcept { return subject_; }

  /// Byte of the file where the cursor stands.
  [[nodiscard]] std::uint64_t offset() const noexcept { return kHeaderStart + at_; }
  /// The same, counted from the start of the text.
  [[nodiscard]] std::size_t position() const noexcept { return at_; }
  /// Goes on at `position`, which lies behind a whole token.
  void go_to(std::size_t position) noexcept { at_ = position; }
  [[nodiscard]] bool at_end() const noexcept { return at_ == text_.size(); }
  /// The character here, NUL at the end; a NUL in the text is valid nowhere.
  [[nodiscard]] char peek() const noexcept { return text_.data()[at_]; }
  [[nodiscard]] std::string_view view(TextRange range) const noexcept {
    return {text_.data() + range.at, range.size};
  }

  /// Skips space, tab, line feed and carriage return; whether anything but spaces was among them.
  bool skip_space() noexcept {
    bool odd = false;
    for (; is_space(peek()); ++at_) odd = odd || peek() != ' ';
    return odd;
  }
  /// Skips white space and then `c`, if it follows.
  bool take(char c) noexcept {
    skip_space();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  /// The same, where nothing else may follow. `needed` completes "expected …".
  void expect(char c, std::string_view needed) {
    if (!take(c)) fail_expected(needed);
  }
  /// Between the members of an object or array: true behind a comma, false behind `closer`.
  bool more(char closer) {
    if (take(',')) return true;
    expect(closer, closer == '}' ? "',' or '}'" : "',' or ']'");
    return false;
  }
  /// `null`, if it follows.
  bool take_null() noexcept;

  /// A string, decoded in place.
  TextRange string(std::string_view needed);
  /// A non-negative integer in plain digits that fits 64 bits.
  std::uint64_t integer(std::string_view needed);
  /// Any value; containers at most 125 deep, as the reference reads them.
  void skip_value();

  /// Throws: "expected <needed>, found <what is here>".
  [[noreturn]] void fail_expected(std::string_view needed) const;
  /// Throws `what` about byte `offset` of the file.
  [[noreturn]] void fail(std::uint64_t offset, std::string_view what) const;

 private:
  static constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  [[nodiscard]] std::size_t plain_end(std::size_t from) const noexcept {
    return from + plain_length(text_.data() + from);
  }
  std::uint64_t unusual_integer(std::string_view needed);
  std::size_t decode_escape(std::size_t out);
  std::uint32_t unicode_escape();
  std::uint32_t hex_unit();
  void skip_key();
  void skip_scalar();
  void skip_number();
  void skip_usual_integers();
  void skip_word(std::string_view word);
  std::size_t skip_digits(std::string_view needed);

  std::span<char> text_;
  std::size_t at_ = 0;
  Subject subject_;
};

}  // namespace weighbridge
