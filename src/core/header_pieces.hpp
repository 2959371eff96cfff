// The pieces of a header that EntryReader knows, each taken from the front of the text or left there.
//
// The text ends with NULs that belong to no piece (see Header::Data), so nothing here needs to know
// where the end is: what differs from a piece in its first byte, differs there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/endian.hpp"
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

/// Small enough to live in a register.
class HeaderPieces {
 public:
  /// REQUIRES: kTextPadding NULs behind the text.
  explicit HeaderPieces(const char* at) noexcept : at_(at) {}

  [[nodiscard]] const char* at() const noexcept { return at_; }

  bool take(char c) noexcept {
    if (*at_ != c) return false;
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
  /// What stands in front of the next quote, backslash or control character.
  std::string_view take_plain() noexcept {
    const std::string_view plain(at_, plain_length(at_));
    at_ += plain.size();
    return plain;
  }
  /// A number without a leading zero that fits 64 bits whatever its digits. One digit at a time, because
  /// the processor can guess where it ends, and needs not wait for a count of digits to go on.
  bool take_number(std::uint64_t& number) noexcept {
    constexpr std::ptrdiff_t kMostDigits = 19;
    const char* start = at_;
    number = 0;
    for (unsigned digit = digit_at(at_); digit < 10; digit = digit_at(++at_)) number = number * 10 + digit;
    const std::ptrdiff_t digits = at_ - start;
    return digits == 1 || (digits > 1 && digits <= kMostDigits && *start != '0');
  }

 private:
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
