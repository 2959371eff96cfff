// The pieces of a header that EntryReader knows, each taken from the front of the text or left there.
//
// The text ends with NULs that belong to no piece (see Header::Data), so nothing here needs to know
// where the end is: what differs from a piece in its first byte, differs there.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/endian.hpp"
#include "base/utf8.hpp"
#include "core/header_strings.hpp"

namespace weighbridge {

/// Up to 8 characters that may be met again. A longer piece, as none at all, is never met again.
class PieceWord {
 public:
  PieceWord() = default;
  /// REQUIRES: kTextPadding NULs behind the text that `start` is in.
  PieceWord(const char* start, const char* end) noexcept : size_(static_cast<std::size_t>(end - start)) {
    if (size_ > sizeof word_) return;
    mask_ = ~std::uint64_t{0} >> (64 - 8 * size_);
    word_ = load_le<std::uint64_t>(start) & mask_;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool stands_at(const char* at) const noexcept {
    return (load_le<std::uint64_t>(at) & mask_) == word_;
  }

 private:
  std::size_t size_ = 0;
  std::uint64_t mask_ = 0;
  std::uint64_t word_ = 1;
};

/// A number that stood in the text, in case that it stands there again.
class LastNumber {
 public:
  LastNumber() = default;
  /// REQUIRES: kTextPadding characters at `start`.
  LastNumber(const char* start, const char* end, std::uint64_t value) noexcept {
    const auto size = static_cast<unsigned>(end - start);
    if (size > 2 * kWord) return;
    words_ = {load_le<std::uint64_t>(start), load_le<std::uint64_t>(start + kWord)};
    size_ = size;
    value_ = value;
  }

  [[nodiscard]] unsigned size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
  /// Whether its digits stand there; more may follow.
  [[nodiscard]] bool stands_at(const char* at) const noexcept {
    const std::uint64_t first = load_le<std::uint64_t>(at) ^ words_[0];
    if (size_ <= kWord) return first << 8 * (kWord - size_) == 0;
    const std::uint64_t second = load_le<std::uint64_t>(at + kWord) ^ words_[1];
    return first == 0 && second << 8 * (2 * kWord - size_) == 0;
  }

 private:
  static constexpr unsigned kWord = sizeof(std::uint64_t);

  std::array<std::uint64_t, 2> words_ = {'0', 0};  // where the first of all tensors begins
  unsigned size_ = 1;
  std::uint64_t value_ = 0;
};

/// Small enough to live in a register.
class HeaderPieces {
 public:
  /// REQUIRES: kTextPadding NULs behind the text.
  explicit HeaderPieces(const char* at) noexcept : at_(at) {}

  [[nodiscard]] const char* at() const noexcept { return at_; }

  /// Whether it stands here.
  [[nodiscard]] bool is_at(char c) const noexcept { return *at_ == c; }

  bool take(char c) noexcept {
    if (!is_at(c)) return false;
    ++at_;
    return true;
  }
  /// A template, so that words of known size are compared.
  template <std::size_t kSize>
  bool take(const char (&text)[kSize]) noexcept {
    static_assert(kSize - 1 <= kTextPadding);
    if (std::memcmp(at_, text, kSize - 1) != 0) return false;
    at_ += kSize - 1;
    return true;
  }
  bool take(const PieceWord& word) noexcept {
    if (!word.stands_at(at_)) return false;
    at_ += word.size();
    return true;
  }
  /// ',' and the space that may follow.
  bool take_comma() noexcept { return take(',') && take_space(); }
  /// The end of a key, as in `key":`, and the space that may follow.
  template <std::size_t kSize>
  bool take_key(const char (&text)[kSize]) noexcept {
    return take(text) && take_space();
  }
  /// What stands in front of the next quote, backslash or control character, if it is UTF-8.
  bool take_plain(std::string_view& plain) noexcept {
    const PlainRun run = plain_run(at_);
    plain = {at_, run.length};
    if (!run.ascii && find_invalid_utf8(plain)) return false;
    at_ += run.length;
    return true;
  }
  /// REQUIRES: `end` lies behind this place.
  void skip_to(const char* end) noexcept { at_ = end; }
  /// A number without a leading zero that fits 64 bits whatever its digits. One digit at a time, because
  /// the processor can guess where it ends, and needs not wait for a count of digits to go on.
  bool take_number(std::uint64_t& number) noexcept {
    number = 0;
    return take_digits(at_, number);
  }
  /// The same for numbers that are mostly large. One of less than 8 digits that has `usual_digits` is stepped
  /// over without waiting for their count, as the processor guesses that it will.
  bool take_large_number(std::uint64_t& number, unsigned usual_digits = 0) noexcept {
    const char* start = at_;
    const auto word = load_le<std::uint64_t>(at_);
    const std::uint64_t others = not_digits(word);
    if (others == 0) {
      number = value_of_digits(word);
      at_ += sizeof word;
      return take_digits(start, number);
    }
    const auto digits = static_cast<unsigned>(std::countr_zero(others)) / 8;
    if (digits == 0 || (digits > 1 && *start == '0')) return false;
    number = value_of_digits(word << 8 * (sizeof word - digits));  // NULs in front count as zeros
    if (digits == usual_digits) {
      asm("" : "+r"(usual_digits));  // or the compiler would take the count, which is the same
      at_ += usual_digits;
    } else {
      at_ += digits;
    }
    return true;
  }
  /// The same for one that is mostly `last`.
  bool take_number_like(const LastNumber& last, std::uint64_t& number) noexcept {
    if (!last.stands_at(at_) || digit_at(at_ + last.size()) < 10) return take_large_number(number);
    number = last.value();
    at_ += last.size();
    return true;
  }

 private:
  bool take_digits(const char* start, std::uint64_t& number) noexcept {
    constexpr std::ptrdiff_t kMostDigits = 19;
    for (unsigned digit = digit_at(at_); digit < 10; digit = digit_at(++at_)) number = number * 10 + digit;
    const std::ptrdiff_t digits = at_ - start;
    return digits == 1 || (digits > 1 && digits <= kMostDigits && *start != '0');
  }
  // Eight characters: 0 where all are digits, and otherwise a word whose lowest byte that is not 0 is that of
  // the first other one.
  static std::uint64_t not_digits(std::uint64_t word) noexcept {
    constexpr std::uint64_t kHigh = 0xF0F0F0F0F0F0F0F0;
    return ((word & kHigh) | ((word + 0x0606060606060606) & kHigh) >> 4) ^ 0x3333333333333333;
  }
  // The number that eight digits are. Neighbours are joined to pairs, those to fours, and those to all eight.
  static std::uint64_t value_of_digits(std::uint64_t word) noexcept {
    word = (word & 0x0F0F0F0F0F0F0F0F) * (10 << 8 | 1) >> 8;
    word = (word & 0x00FF00FF00FF00FF) * (std::uint64_t{100} << 16 | 1) >> 16;
    return (word & 0x0000FFFF0000FFFF) * (std::uint64_t{10000} << 32 | 1) >> 32;
  }
  static unsigned digit_at(const char* at) noexcept {
    return static_cast<unsigned char>(*at) - unsigned{'0'};
  }
  bool take_space() noexcept {
    if (*at_ == ' ') ++at_;
    return true;
  }

  const char* at_;
};

}  // namespace weighbridge
