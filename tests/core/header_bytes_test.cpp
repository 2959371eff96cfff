#include "core/header_bytes.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/header_strings.hpp"

namespace weighbridge {
namespace {

// Sixteen bytes of which those have their highest bit set that `bits` says.
detail::Bytes bytes_of(std::uint32_t bits, unsigned char set, unsigned char unset) {
  detail::Bytes bytes{};
  for (unsigned i = 0; i < Bytes16::kSize; ++i) bytes[i] = (bits >> i & 1) != 0 ? set : unset;
  return bytes;
}

TEST(HeaderBytes, BothWaysToGatherBitsAgreeOnAllThereAre) {
  for (std::uint32_t bits = 0; bits < 1U << Bytes16::kSize; ++bits) {
    for (const auto& bytes : {bytes_of(bits, 0xFF, 0), bytes_of(bits, 0x80, 0x7F)}) {
      ASSERT_EQ(detail::high_bits(bytes), bits);
      ASSERT_EQ(detail::high_bits_of_words(bytes), bits);
    }
  }
}

TEST(HeaderBytes, EveryCharacterIsOfTheKindThatJsonSays) {
  for (unsigned c = 0; c < 256; ++c) {
    std::string text(Bytes16::kSize, 'x');
    for (unsigned at = 0; at < Bytes16::kSize; ++at) {
      text.assign(Bytes16::kSize, 'x')[at] = static_cast<char>(c);
      const Bytes16 bytes(text.data());
      const std::uint32_t here = 1U << at;
      const bool special = c == '"' || c == '\\' || c < 0x20;
      ASSERT_EQ(bytes.special(), special ? here : 0) << c;
      ASSERT_EQ(bytes.special_or_not_ascii(), special || c > 0x7F ? here : 0) << c;
      ASSERT_EQ(bytes.equal_to(static_cast<char>(c)) & here, here) << c;
    }
  }
}

TEST(HeaderBytes, ARunOfPlainCharactersEndsAtTheFirstSpecialOne) {
  for (std::size_t length = 0; length < 70; ++length) {
    for (const char end : {'"', '\\', '\n', '\0'}) {
      const std::string text = std::string(length, 'x') + end + std::string(kTextPadding, '\0');
      ASSERT_EQ(plain_run(text.data()).length, length);
      ASSERT_TRUE(plain_run(text.data()).ascii);
    }
    for (std::size_t at = 0; at < length; ++at) {
      std::string text = std::string(length, 'x') + std::string(kTextPadding, '\0');
      text[at] = '\xC3';
      ASSERT_EQ(plain_run(text.data()).length, length);
      ASSERT_FALSE(plain_run(text.data()).ascii);
    }
  }
}

}  // namespace
}  // namespace weighbridge
