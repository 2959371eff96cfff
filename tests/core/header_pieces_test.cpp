#include "core/header_pieces.hpp"

#include <optional>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace weighbridge {
namespace {

struct Number {
  std::uint64_t value = 0;
  std::size_t digits = 0;
  bool operator==(const Number&) const = default;
};

std::optional<Number> take_large(const std::string& text) {
  const std::string padded = text + std::string(kTextPadding, '\0');
  HeaderPieces pieces(padded.data());
  Number number;
  if (!pieces.take_large_number(number.value)) return std::nullopt;
  number.digits = static_cast<std::size_t>(pieces.at() - padded.data());
  return number;
}

// Digits that do not begin with a zero, except for zero itself.
std::string digits(std::size_t count, std::mt19937& random) {
  std::uniform_int_distribution<int> any('0', '9');
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(any(random));
  if (count > 1 && text.front() == '0') text.front() = '1';
  return text;
}

TEST(HeaderPieces, TakesLargeNumbersOfEveryLengthInFrontOfEveryCharacter) {
  std::mt19937 random(3);
  for (std::size_t count = 1; count <= 19; ++count) {
    for (unsigned next = 0; next < 256; ++next) {
      if (next >= '0' && next <= '9') continue;
      const std::string number = digits(count, random);
      const std::string text = number + static_cast<char>(next) + digits(next % 12, random);
      EXPECT_EQ(take_large(text), (Number{std::stoull(number), count})) << text;
    }
  }
}

TEST(HeaderPieces, LeavesWhatIsNoLargeNumber) {
  for (const char* text : {"", "-1", "a", "/1", ":1", "00", "01", "0123456", "012345678",
                           "10000000000000000000", "12345678901234567890123",
                           "\xFF"
                           "1"}) {
    EXPECT_EQ(take_large(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weighbridge
