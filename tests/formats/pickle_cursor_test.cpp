#include <gtest/gtest.h>

#include "formats/pickle/cursor.hpp"
#include "formats/pickle/fault.hpp"

namespace weighbridge::pickle {
namespace {

Cursor over(std::string bytes, std::uint64_t offset = 0) {
  return {memory_source(Buffer::take(std::move(bytes))), offset};
}

TEST(PickleCursor, ReadsIntegersInBothOrders) {
  Cursor cursor = over("\x01\x02\x03\x04");
  EXPECT_EQ(cursor.little_endian<std::uint16_t>(), 0x0201);
  EXPECT_EQ(cursor.big_endian<std::uint16_t>(), 0x0304);
  EXPECT_EQ(cursor.remaining(), 0U);
}

TEST(PickleCursor, ReadsAcrossTheEdgeOfItsWindow) {
  std::string bytes(Cursor::kWindow + 10, 'a');
  bytes[Cursor::kWindow + 1] = 'b';
  Cursor cursor = over(bytes);
  EXPECT_EQ(cursor.bytes(Cursor::kWindow - 1), std::string(Cursor::kWindow - 1, 'a'));
  EXPECT_EQ(cursor.bytes(4), "aaba");
  EXPECT_EQ(cursor.position(), Cursor::kWindow + 3);
}

TEST(PickleCursor, LinesOfAnyLength) {
  const std::string longest(3 * Cursor::kWindow, 'x');
  Cursor cursor = over("\nshort\n" + longest + "\nend");
  EXPECT_EQ(cursor.line(100), "");
  EXPECT_EQ(cursor.line(100), "short");
  EXPECT_EQ(cursor.line(longest.size()), longest);
  EXPECT_THROW(cursor.line(100), Fault);
}

TEST(PickleCursor, LongerLinesThanAskedForAreRefused) {
  Cursor cursor = over("12345\n");
  EXPECT_THROW(cursor.line(4), Fault);
  Cursor windows = over(std::string(2 * Cursor::kWindow, 'x') + "\n");
  EXPECT_THROW(windows.line(2 * Cursor::kWindow - 1), Fault);
}

TEST(PickleCursor, SkipsInsideAndBeyondItsWindow) {
  Cursor cursor = over(std::string(300'000, 'a') + "bc");
  cursor.byte();
  cursor.skip(9);
  EXPECT_EQ(cursor.position(), 10U);
  cursor.skip(299'990);
  EXPECT_EQ(cursor.bytes(2), "bc");
  EXPECT_EQ(cursor.consumed(), 3U);
}

TEST(PickleCursor, RefusesToLeaveTheSource) {
  Cursor cursor = over("abc");
  EXPECT_THROW(cursor.skip(4), Fault);
  EXPECT_THROW(cursor.bytes(4), Fault);
  EXPECT_THROW(cursor.skip(UINT64_MAX), Fault);
  EXPECT_EQ(cursor.bytes(3), "abc");
  EXPECT_THROW(cursor.byte(), Fault);
  EXPECT_THROW(over("abc", 4), Error);
}

TEST(PickleCursor, RefusesToCrossTheEndOfAFrame) {
  Cursor cursor = over("oabcd\n");
  cursor.open_frame(3);
  cursor.opcode();
  EXPECT_THROW(cursor.bytes(3), Fault);
  EXPECT_THROW(cursor.skip(3), Fault);
  EXPECT_THROW(cursor.line(10), Fault);
  EXPECT_THROW(cursor.open_frame(1), Fault);
  EXPECT_EQ(cursor.bytes(2), "ab");
  EXPECT_THROW(cursor.byte(), Fault);  // Behind the frame, and still the same opcode.
}

TEST(PickleCursor, GoesOnBehindAFrame) {
  Cursor cursor = over("oaob");
  cursor.open_frame(2);
  cursor.opcode();
  EXPECT_EQ(cursor.byte(), 'a');
  cursor.opcode();
  EXPECT_EQ(cursor.byte(), 'b');
}

}  // namespace
}  // namespace weighbridge::pickle
