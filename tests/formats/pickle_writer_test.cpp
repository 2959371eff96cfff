#include <gtest/gtest.h>

#include "formats/pickle/writer.hpp"

namespace weighbridge::pickle {
namespace {

using std::string_literals::operator""s;

/// What a value is written as, between PROTO 2 and STOP.
template <typename Write>
std::string opcodes(Write write) {
  Writer writer;
  write(writer);
  const std::string stream = std::move(writer).finish();
  return stream.substr(2, stream.size() - 3);
}

std::string integer(std::int64_t value) {
  return opcodes([&](Writer& out) { out.integer(value); });
}

TEST(PickleWriter, WritesIntegersAsShortAsTheyAre) {
  EXPECT_EQ(integer(0), "K\0"s);
  EXPECT_EQ(integer(255), "K\xFF");
  EXPECT_EQ(integer(256), "M\0\1"s);
  EXPECT_EQ(integer(-1), "J\xFF\xFF\xFF\xFF");
  EXPECT_EQ(integer(INT32_MAX), "J\xFF\xFF\xFF\x7F");
  EXPECT_EQ(integer(std::int64_t{1} << 31), "\x8A\x08\0\0\0\x80\0\0\0\0"s);
}

TEST(PickleWriter, WritesFloatsBigEndian) {
  EXPECT_EQ(opcodes([](Writer& out) { out.real(1.0); }), "G\x3F\xF0\0\0\0\0\0\0"s);
}

TEST(PickleWriter, SaysNamesAndKeysOnce) {
  EXPECT_EQ(opcodes([](Writer& out) {
              out.global("torch", "Size");
              out.global("torch", "Size");
              out.repeated_text("a");
              out.repeated_text("a");
            }),
            "ctorch\nSize\nq\0h\0X\1\0\0\0aq\1h\1"s);
}

TEST(PickleWriter, NumbersAbove255TakeFourBytes) {
  const std::string stream = opcodes([](Writer& out) {
    out.none();
    for (int i = 0; i < 257; ++i) out.put();
    out.get(256);
  });
  EXPECT_TRUE(stream.ends_with("r\0\1\0\0j\0\1\0\0"s));
}

}  // namespace
}  // namespace weighbridge::pickle
