// Every opcode, used as writers use it.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "support/pickle_builder.hpp"

namespace weighbridge::pickle_test {
namespace {

using pickle::Kind;
using pickle::kNoNode;

std::string shown(Stream stream) { return show(stream.stop().run()); }

TEST(PickleNumbers, ConstantsAndFixedWidths) {
  EXPECT_EQ(shown(Stream().none()), "None");
  EXPECT_EQ(shown(Stream().newtrue()), "True");
  EXPECT_EQ(shown(Stream().newfalse()), "False");
  EXPECT_EQ(shown(Stream().binint(-2)), "-2");
  EXPECT_EQ(shown(Stream().binint1(255)), "255");
  EXPECT_EQ(shown(Stream().binint2(65535)), "65535");
  EXPECT_EQ(shown(Stream().binfloat(-1.5)), "-1.5");
}

TEST(PickleNumbers, IntLineHasItsOwnBools) {
  EXPECT_EQ(shown(Stream().int_text("00")), "False");
  EXPECT_EQ(shown(Stream().int_text("01")), "True");
  EXPECT_EQ(shown(Stream().int_text("0")), "0");
  EXPECT_EQ(shown(Stream().int_text("1")), "1");
  EXPECT_EQ(shown(Stream().int_text("-12")), "-12");
  EXPECT_EQ(shown(Stream().int_text("18446744073709551616")), "0x00000000010000000000000000");
}

TEST(PickleNumbers, LongLineMayEndWithL) {
  EXPECT_EQ(shown(Stream().long_text("7L")), "7");
  EXPECT_EQ(shown(Stream().long_text("7")), "7");
  EXPECT_EQ(shown(Stream().long_text("-9223372036854775808L")), "-9223372036854775808");
}

TEST(PickleNumbers, LongBytesAreTwosComplement) {
  EXPECT_EQ(shown(Stream().long1("")), "0");
  EXPECT_EQ(shown(Stream().long1("\xff")), "-1");
  EXPECT_EQ(shown(Stream().long1(std::string("\xff\x00", 2))), "255");
  EXPECT_EQ(shown(Stream().long4(std::string("\x00\x80", 2))), "-32768");
  EXPECT_EQ(shown(Stream().long1(std::string("\x00\x00\x00\x00\x00\x00\x00\x80\x00", 9))),
            "0x008000000000000000");
  EXPECT_EQ(shown(Stream().long1(std::string("\x05\x00\x00\x00\x00\x00\x00\x00\x00", 9))), "5");
}

TEST(PickleNumbers, FloatLine) {
  EXPECT_EQ(shown(Stream().float_text("0.1")), "0.1");
  EXPECT_EQ(shown(Stream().float_text("-1e+300")), "-1e+300");
  EXPECT_EQ(shown(Stream().float_text("inf")), "inf");
  EXPECT_EQ(shown(Stream().float_text("-inf")), "-inf");
  const auto nan = Stream().float_text("nan").stop().run();
  EXPECT_TRUE(std::isnan(nan.graph.real(nan.root)));
}

TEST(PickleText, StringsOfPython2KeepTheirBytes) {
  EXPECT_EQ(shown(Stream().string("'a\\x00\\377\\n\\'\\q'")), "s'a\\x00\\xff\\x0a'\\q'");
  EXPECT_EQ(shown(Stream().string("\"it's\"")), "s'it's'");
  EXPECT_EQ(shown(Stream().binstring("\xff")), "s'\\xff'");
  EXPECT_EQ(shown(Stream().short_binstring("cpu")), "s'cpu'");
}

TEST(PickleText, UnicodeOfEveryWidth) {
  EXPECT_EQ(shown(Stream().unicode("caf\xe9 \\u20ac \\U0001f600")), "'café € 😀'");
  EXPECT_EQ(shown(Stream().unicode("a\\\\u0041")), "'a\\\\u0041'");
  EXPECT_EQ(shown(Stream().unicode("")), "''");
  EXPECT_EQ(shown(Stream().binunicode("é")), "'é'");
  EXPECT_EQ(shown(Stream().text("é")), "'é'");
  EXPECT_EQ(shown(Stream().binunicode8("é")), "'é'");
}

TEST(PickleText, LoneSurrogatesPassAsThreeBytes) {
  const auto binary = Stream().binunicode("\xed\xa0\x80").stop().run();
  EXPECT_EQ(binary.graph.text(binary.root), "\xed\xa0\x80");
  const auto escaped = Stream().unicode("\\ud800").stop().run();
  EXPECT_EQ(escaped.graph.text(escaped.root), "\xed\xa0\x80");
}

TEST(PickleText, BytesOfEveryWidth) {
  EXPECT_EQ(shown(Stream().binbytes("ab")), "b'ab'");
  EXPECT_EQ(shown(Stream().short_binbytes("ab")), "b'ab'");
  EXPECT_EQ(shown(Stream().binbytes8("ab")), "b'ab'");
  EXPECT_EQ(shown(Stream().bytearray8("ab")), "bytearray(b'ab')");
  EXPECT_EQ(shown(Stream().bytearray8("ab").readonly_buffer()), "bytearray(b'ab')");
}

TEST(PickleText, LongPayloadsStayInTheSource) {
  const std::string bytes(70'000, 'x');
  const auto outcome = Stream().binbytes8(bytes).stop().run();
  ASSERT_FALSE(outcome.failure);
  EXPECT_EQ(outcome.graph.payload_size(outcome.root), bytes.size());
  EXPECT_TRUE(outcome.graph.text(outcome.root).empty());
  const Buffer read = outcome.graph.payload(outcome.root)->read(0, bytes.size());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(read.bytes().data()), read.size()), bytes);
}

TEST(PickleText, LongLinesAreDecodedWhole) {
  const std::string text(200'000, 'y');
  const auto outcome = Stream().unicode(text).stop().run();
  ASSERT_FALSE(outcome.failure);
  EXPECT_EQ(outcome.graph.text(outcome.root), text);
  EXPECT_EQ(outcome.graph.payload(outcome.root)->size(), text.size());
}

TEST(PickleContainers, BuiltFromTheMark) {
  EXPECT_EQ(shown(Stream().mark().binint1(1).binint1(2).list()), "[1, 2]");
  EXPECT_EQ(shown(Stream().mark().binint1(1).binint1(2).tuple()), "(1, 2)");
  EXPECT_EQ(shown(Stream().mark().binint1(1).binint1(2).dict()), "{1: 2}");
  EXPECT_EQ(shown(Stream().mark().binint1(1).binint1(2).frozenset()), "frozenset(1, 2)");
  EXPECT_EQ(shown(Stream().mark().tuple()), "()");
}

TEST(PickleContainers, EmptyAndThenFilled) {
  EXPECT_EQ(shown(Stream().empty_list().binint1(1).append()), "[1]");
  EXPECT_EQ(shown(Stream().empty_list().mark().binint1(1).binint1(2).appends()), "[1, 2]");
  EXPECT_EQ(shown(Stream().empty_dict().binint1(1).none().setitem()), "{1: None}");
  EXPECT_EQ(shown(Stream().empty_dict().mark().binint1(1).none().setitems()), "{1: None}");
  EXPECT_EQ(shown(Stream().empty_set().mark().binint1(1).additems()), "set(1)");
  EXPECT_EQ(shown(Stream().empty_tuple()), "()");
}

TEST(PickleContainers, ShortTuples) {
  EXPECT_EQ(shown(Stream().binint1(1).tuple1()), "(1)");
  EXPECT_EQ(shown(Stream().binint1(1).binint1(2).tuple2()), "(1, 2)");
  EXPECT_EQ(shown(Stream().binint1(1).binint1(2).binint1(3).tuple3()), "(1, 2, 3)");
}

TEST(PickleContainers, GrowPastTheirRoomWithoutLoss) {
  Stream stream;
  stream.empty_list().memoize().empty_list();
  for (std::uint16_t i = 0; i < 300; ++i) stream.binint2(i).append().binget(0).binint2(i).append().pop();
  const auto outcome = stream.stop().run();
  ASSERT_FALSE(outcome.failure) << outcome.failure->what();
  ASSERT_EQ(outcome.graph.items(outcome.root).size(), 300U);
  for (std::size_t i = 0; i < 300; ++i) {
    ASSERT_EQ(outcome.graph.integer(outcome.graph.items(outcome.root)[i]), static_cast<std::int64_t>(i));
  }
}

TEST(PickleStack, PopDupAndMarks) {
  EXPECT_EQ(shown(Stream().binint1(1).binint1(2).pop()), "1");
  EXPECT_EQ(shown(Stream().binint1(1).dup().tuple2()), "(1, 1)");
  EXPECT_EQ(shown(Stream().binint1(1).mark().binint1(2).pop_mark()), "1");
}

TEST(PickleStack, PopRightBehindMarkRemovesTheMark) {
  EXPECT_EQ(shown(Stream().mark().binint1(1).mark().pop().list()), "[1]");
}

TEST(PickleMemo, EveryWayToPutAndGet) {
  EXPECT_EQ(shown(Stream().binint1(7).put("3").get("3").tuple2()), "(7, 7)");
  EXPECT_EQ(shown(Stream().binint1(7).binput(3).binget(3).tuple2()), "(7, 7)");
  EXPECT_EQ(shown(Stream().binint1(7).long_binput(70'000).long_binget(70'000).tuple2()), "(7, 7)");
  EXPECT_EQ(shown(Stream().binint1(7).memoize().binint1(8).memoize().pop().binget(1).tuple2()), "(7, 8)");
}

TEST(PickleMemo, SharedContainersAreOneNode) {
  const auto outcome = Stream().empty_list().memoize().binget(0).tuple2().stop().run();
  const auto items = outcome.graph.items(outcome.root);
  EXPECT_EQ(items[0], items[1]);
}

TEST(PickleMemo, AListMayHoldItself) {
  const auto outcome = Stream().empty_list().memoize().binget(0).append().stop().run();
  ASSERT_FALSE(outcome.failure);
  EXPECT_EQ(outcome.graph.items(outcome.root)[0], outcome.root);
}

TEST(PickleCalls, GlobalsAndCalls) {
  EXPECT_EQ(shown(Stream().global("a.b", "C")), "a.b.C");
  EXPECT_EQ(shown(Stream().text("a.b").text("C.D").stack_global()), "a.b.C.D");
  EXPECT_EQ(shown(Stream().global("a", "f").binint1(1).tuple1().reduce()), "a.f(1)");
  EXPECT_EQ(shown(Stream().global("a", "C").empty_tuple().newobj()), "a.C()");
  EXPECT_EQ(
      shown(Stream().global("a", "C").empty_tuple().empty_dict().text("k").none().setitem().newobj_ex()),
      "a.C()**{'k': None}");
  EXPECT_EQ(shown(Stream().mark().binint1(1).inst("a", "C")), "a.C(1)");
  EXPECT_EQ(shown(Stream().mark().global("a", "C").binint1(1).obj()), "a.C(1)");
}

TEST(PickleCalls, ObjectsTakeItemsPairsAndState) {
  EXPECT_EQ(shown(Stream().global("a", "C").empty_tuple().newobj().empty_dict().build()), "a.C()!{}");
  EXPECT_EQ(shown(Stream().global("a", "C").empty_tuple().newobj().none().append()), "a.C()+[None]");
  EXPECT_EQ(shown(Stream().global("a", "C").empty_tuple().reduce().none().newtrue().setitem()),
            "a.C()+{None: True}");
}

TEST(PickleCalls, TheLastStateCounts) {
  EXPECT_EQ(shown(Stream().global("a", "C").empty_tuple().newobj().binint1(1).build().binint1(2).build()),
            "a.C()!2");
}

TEST(PickleCalls, ACallableThatIsNoGlobalStaysOpaque) {
  EXPECT_EQ(shown(Stream().global("a", "f").empty_tuple().reduce().empty_tuple().reduce()), "a.f()()");
}

TEST(PickleCalls, PersistentIds) {
  EXPECT_EQ(shown(Stream().persid("12")), "persistent '12'");
  EXPECT_EQ(shown(Stream().text("storage").tuple1().binpersid()), "persistent ('storage')");
}

TEST(PickleFrames, ValuesInsideAndBetweenFrames) {
  const Stream one = Stream().binint1(1);
  const Stream two = Stream().tuple2().stop();
  EXPECT_EQ(show(Stream().proto(4).frame(one).binint1(2).frame(two).run()), "(1, 2)");
}

TEST(PickleOutcome, TellsWhereTheStreamEndsAndNodesStand) {
  const Stream stream = Stream().proto(2).binint1(1).stop().raw("rest");
  const auto outcome = stream.run();
  EXPECT_EQ(outcome.end, stream.size() - 4);
  EXPECT_EQ(outcome.graph.offset(outcome.root), 2U);
}

TEST(PickleOutcome, StartsAtAnOffset) {
  const auto outcome = pickle::run(Stream().raw("junk").binint1(1).stop().source(), 4, {});
  ASSERT_FALSE(outcome.failure);
  EXPECT_EQ(outcome.graph.offset(outcome.root), 4U);
  EXPECT_EQ(outcome.end, 7U);
}

TEST(PickleOutcome, RunToEndThrowsTheFailure) {
  EXPECT_THROW(pickle::run_to_end(Stream().none().source(), 0, {}), Error);
  EXPECT_EQ(pickle::run_to_end(Stream().none().stop().source(), 0, {}).root, 0U);
}

}  // namespace
}  // namespace weighbridge::pickle_test
