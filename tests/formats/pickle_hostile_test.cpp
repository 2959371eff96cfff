// Streams that no writer makes: what CPython refuses, what the limits stop, what must stay cheap.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/pickle_builder.hpp"

namespace weighbridge::pickle_test {
namespace {

using pickle::GlobalClass;
using pickle::kNoNode;
using ::testing::HasSubstr;

void expect_refused(const Stream& stream, ErrorCode code, std::string_view reason) {
  const auto outcome = stream.run();
  ASSERT_TRUE(outcome.failure) << show(outcome);
  EXPECT_EQ(outcome.failure->code(), code) << outcome.failure->what();
  EXPECT_THAT(outcome.failure->what(), HasSubstr(reason));
  EXPECT_TRUE(outcome.failure->offset().has_value());
  EXPECT_EQ(outcome.root, kNoNode);
}

void expect_malformed(const Stream& stream, std::string_view reason) {
  expect_refused(stream, ErrorCode::MalformedPickle, reason);
}

void expect_limited(const Stream& stream, std::string_view reason) {
  expect_refused(stream, ErrorCode::LimitExceeded, reason);
}

TEST(PickleHostile, BillionLaughsIsAsSmallAsItsStream) {
  Stream lists;
  lists.text("lol").memoize();
  for (std::uint8_t i = 0; i < 60; ++i) lists.mark().repeat(9, Stream().binget(i)).list().memoize();
  const auto outcome = lists.stop().run();
  ASSERT_FALSE(outcome.failure);
  EXPECT_EQ(outcome.graph.size(), 61U);

  Stream dup;
  dup.text("lol");
  for (int i = 0; i < 60; ++i) dup.dup().tuple2();
  EXPECT_EQ(dup.stop().run().graph.size(), 61U);
}

TEST(PickleHostile, GlobalLaughsKeepsEachNameOnce) {
  Stream stream;
  stream.binunicode(std::string(1'000, 'm')).memoize().binunicode(std::string(1'000, 'n')).memoize();
  stream.repeat(100'000, Stream().binget(0).binget(1).stack_global().pop()).none().stop();
  const auto outcome = stream.run();
  ASSERT_FALSE(outcome.failure) << outcome.failure->what();
  EXPECT_EQ(outcome.graph.globals().size(), 100'000U);
  EXPECT_EQ(outcome.graph.globals().front().name.data(), outcome.graph.globals().back().name.data());
}

TEST(PickleHostile, MillionsOfNestedListsAreBuiltAndDestroyed) {
  constexpr std::size_t kDepth = 10'000'000;
  const auto lists =
      Stream().repeat(kDepth, Stream().empty_list()).repeat(kDepth - 1, Stream().append()).stop().run();
  ASSERT_FALSE(lists.failure);
  EXPECT_EQ(lists.graph.size(), kDepth);
}

TEST(PickleHostile, ChainsOfTuplesAndMarks) {
  constexpr std::size_t kDepth = 1'000'000;
  const auto tuples = Stream().none().repeat(kDepth, Stream().tuple1()).stop().run();
  ASSERT_FALSE(tuples.failure);
  EXPECT_EQ(tuples.graph.size(), kDepth + 1);
  expect_malformed(Stream().repeat(kDepth, Stream().mark()).stop(), "STOP");
}

TEST(PickleHostile, LengthsAreCheckedBeforeAnythingIsTaken) {
  expect_malformed(Stream().op('\x8b').number<std::int32_t>(-1).stop(),
                   "LONG4 at byte 0 holds an integer of -1 bytes");
  expect_limited(Stream().op('\x8b').number<std::int32_t>(INT32_MAX).stop(), "2147483647 bytes");
  expect_malformed(Stream().op('T').number<std::int32_t>(-1).stop(),
                   "BINSTRING at byte 0 holds a string of -1 bytes");
  expect_malformed(Stream().op('\x8d').number(std::uint64_t{1} << 63).stop(), "1 remain");
  expect_malformed(Stream().op('\x8e').number(UINT64_MAX).stop(), "1 remain");
  expect_malformed(Stream().op('X').number<std::uint32_t>(5).raw("abcd"), "needs 5 bytes, 4 remain");
  expect_malformed(Stream().op('J').raw("abc"), "BININT at byte 0 needs 4 bytes, 3 remain");
}

TEST(PickleHostile, NumbersAreBounded) {
  expect_limited(Stream().int_text(std::string(10'000'000, '7')).stop(), "INT at byte 0");
  expect_limited(Stream().long_text(std::string(4'301, '7') + "L").stop(), "4301 digits");
  EXPECT_FALSE(Stream().long_text(std::string(4'300, '7') + "L").stop().run().failure);
  EXPECT_FALSE(Stream().long4(std::string(1 << 20, '7')).stop().run().failure);
  expect_limited(Stream().long4(std::string((1 << 20) + 1, '7')).stop(), "limit is 1048576");
}

TEST(PickleHostile, NumbersThatAreNone) {
  for (const std::string_view text : {"", "-", "1x", "0x10", "010", "1_000", " 1", "+-1", "1.5"}) {
    SCOPED_TRACE(text);
    expect_malformed(Stream().int_text(text).stop(), "needs a decimal integer");
  }
  for (const std::string_view text : {"", "1.5x", "nan(1)", "+-1", "0x1p3", " 1", "1e999"}) {
    SCOPED_TRACE(text);
    expect_malformed(Stream().float_text(text).stop(), "needs a float");
  }
}

TEST(PickleHostile, ASignedDigitIsABoolToSomeReaders) {
  for (const std::string_view text : {"-0", "+0", "+1"}) {
    SCOPED_TRACE(text);
    expect_malformed(Stream().int_text(text).stop(), "which readers disagree about");
  }
  EXPECT_EQ(show(Stream().int_text("-1").stop().run()), "-1");
}

TEST(PickleHostile, StringsThatAreNone) {
  for (const std::string_view text : {"", "'", "abc", "'abc\"", "'\\x1'", "'\\'"}) {
    SCOPED_TRACE(text);
    expect_malformed(Stream().string(text).stop(), "STRING");
  }
  for (const std::string_view text : {"\\u12", "\\U00110000", "\\u12g4"}) {
    SCOPED_TRACE(text);
    expect_malformed(Stream().unicode(text).stop(), "UNICODE");
  }
  expect_malformed(Stream().text("\xff").stop(), "not UTF-8");
  expect_malformed(Stream().persid("\xff").stop(), "ASCII");
}

TEST(PickleHostile, FramesMustLieInTheStream) {
  expect_malformed(Stream().frame(std::uint64_t{1} << 63).none().stop(), "2 remain");
  expect_malformed(Stream().frame(3).none().stop(), "needs 3 bytes, 2 remain");
}

TEST(PickleHostile, NothingStraddlesTheEndOfAFrame) {
  const std::string tail = Stream().none().stop().bytes();
  const auto framed = [&](std::uint64_t length, const Stream& body) {
    return Stream().proto(4).frame(length).raw(body.bytes()).raw(tail);
  };
  expect_malformed(framed(3, Stream().binint(1)), "the frame ends after 2");    // fixed-width argument
  expect_malformed(framed(1, Stream().text("abc")), "the frame ends after 0");  // length
  expect_malformed(framed(4, Stream().text("abc")), "the frame ends after 2");  // short payload
  expect_malformed(framed(10, Stream().binbytes8(std::string(70'000, 'x'))), "the frame ends after 1");
  expect_malformed(framed(3, Stream().int_text("123")), "the frame ends after 2");  // line
  expect_malformed(framed(4, Stream().global("os", "system")),
                   "the frame ends after 0");  // between two lines
  expect_malformed(framed(12, Stream().none().frame(1).none()), "opens a frame inside another");
  expect_malformed(framed(5, Stream().none().frame(1)), "the frame ends after 3");  // the length of a frame
}

TEST(PickleHostile, HugeMemoNumbersCostNothing) {
  EXPECT_EQ(show(Stream().none().long_binput(UINT32_MAX).pop().long_binget(UINT32_MAX).stop().run()), "None");
  EXPECT_EQ(show(Stream().none().put("18446744073709551615").stop().run()), "None");
  expect_malformed(Stream().none().put("18446744073709551616").stop(), "needs the number of a memo");
  expect_malformed(Stream().none().put("-1").stop(), "needs the number of a memo");
}

TEST(PickleHostile, MissingValues) {
  expect_malformed(Stream().binget(3).stop(), "BINGET at byte 0 needs the value of memo 3");
  expect_malformed(Stream().get("3").stop(), "GET at byte 0");
  expect_malformed(Stream().stop(), "STOP at byte 0 needs 1 values on the stack, found 0");
  expect_malformed(Stream().tuple().stop(), "needs a mark");
  expect_malformed(Stream().pop_mark().stop(), "needs a mark");
  expect_malformed(Stream().pop().stop(), "POP at byte 0");
  expect_malformed(Stream().dup().stop(), "DUP");
  expect_malformed(Stream().memoize().stop(), "MEMOIZE");
  expect_malformed(Stream().binint1(1).tuple2().stop(), "needs 2 values on the stack, found 1");
  expect_malformed(Stream().empty_list().append().stop(), "APPEND");
  expect_malformed(Stream().mark().obj().stop(), "needs a class above the mark");
  expect_malformed(Stream().mark().appends().stop(), "APPENDS");
}

TEST(PickleHostile, NothingReachesBelowAMark) {
  expect_malformed(Stream().binint1(1).mark().stop(), "STOP");
  expect_malformed(Stream().binint1(1).mark().dup().stop(), "DUP");
  expect_malformed(Stream().binint1(1).mark().binint1(2).tuple2().stop(), "TUPLE2");
  expect_malformed(Stream().empty_list().mark().binint1(2).append().stop(), "APPEND");
  expect_malformed(Stream().binint1(1).mark().memoize().stop(), "MEMOIZE");
}

TEST(PickleHostile, ContainersTakeOnlyWhatBelongsInThem) {
  const Stream tensor = Stream().global("torch._utils", "_rebuild_tensor_v2").empty_tuple().reduce();
  const auto set = [](const Stream& target) { return Stream(target).none().none().setitem().stop(); };
  expect_malformed(set(tensor),
                   "needs a dict, found the result of a call of torch._utils._rebuild_tensor_v2");
  expect_malformed(set(Stream().empty_tuple()), "needs a dict, found a tuple");
  expect_malformed(set(Stream().global("a", "B")), "needs a dict, found the global a.B");
  expect_malformed(set(Stream().empty_list()), "needs a dict, found a list");
  expect_malformed(Stream().empty_dict().mark().none().appends().stop(), "needs a list, found a dict");
  expect_malformed(Stream(tensor).none().append().stop(), "needs a list");
  expect_malformed(Stream().empty_list().mark().none().additems().stop(), "needs a set, found a list");
  expect_malformed(Stream().mark().frozenset().mark().none().additems().stop(),
                   "needs a set, found a frozenset");
  expect_malformed(Stream().empty_dict().mark().none().setitems().stop(), "in pairs, found 1");
  expect_malformed(Stream().mark().none().dict().stop(), "in pairs, found 1");
}

TEST(PickleHostile, StateNeedsAnObject) {
  expect_malformed(Stream().binint1(1).empty_dict().build().stop(), "found an int");
  expect_malformed(Stream().text("a").empty_dict().build().stop(), "found a str");
  expect_malformed(Stream().global("torch", "_utils").empty_dict().build().stop(),
                   "found the global torch._utils");
  expect_malformed(Stream().empty_tuple().empty_dict().build().stop(), "found a tuple");
}

TEST(PickleHostile, CallsNeedATupleOfArguments) {
  expect_malformed(Stream().global("a", "f").empty_list().reduce().stop(),
                   "needs a tuple of arguments, found a list");
  expect_malformed(Stream().global("a", "f").none().newobj().stop(),
                   "needs a tuple of arguments, found None");
  expect_malformed(Stream().global("a", "f").empty_tuple().empty_tuple().newobj_ex().stop(),
                   "keyword arguments");
}

TEST(PickleHostile, WhatNoFileCarriesIsRefused) {
  expect_malformed(Stream().ext1(1).stop(), "EXT1");
  expect_malformed(Stream().ext2(1).stop(), "EXT2");
  expect_malformed(Stream().ext4(1).stop(), "EXT4");
  expect_malformed(Stream().next_buffer().stop(), "NEXT_BUFFER");
  expect_malformed(Stream().op('\xff').stop(), "0xff at byte 0 is none that exists");
  expect_malformed(Stream(), "pickle stream ends at byte 0, before its STOP");
}

TEST(PickleHostile, Protocols) {
  expect_malformed(Stream().proto(6).none().stop(), "asks for protocol 6");
  EXPECT_EQ(show(Stream().proto(2).none().proto(5).stop().run()), "None");
}

TEST(PickleHostile, GlobalsNeedNamesOfText) {
  expect_malformed(Stream().binint1(1).binint1(2).stack_global().stop(), "needs two str, found an int");
  expect_malformed(Stream().text("os").short_binbytes("system").stack_global().stop(),
                   "needs two str, found bytes");
  expect_malformed(Stream().global("os\xff", "system").stop(), "not UTF-8");
  expect_malformed(Stream().text("\xed\xa0\x80").text("x").stack_global().stop(), "not UTF-8");
  expect_malformed(Stream().global("", "x").stop(), "empty module");
  expect_malformed(Stream().global("x", "").stop(), "empty name");
  expect_limited(Stream().global(std::string(5'000, 'm'), "x").stop(), "more than 1024 bytes");
  expect_limited(Stream().text("m").binunicode(std::string(70'000, 'n')).stack_global().stop(),
                 "at most 1024");
}

TEST(PickleHostile, CallsHiddenByPopAreStillReported) {
  const auto popped = Stream().mark().global("os", "system").text("id").obj().pop().none().stop().run();
  ASSERT_FALSE(popped.failure);
  ASSERT_EQ(popped.graph.globals().size(), 1U);
  EXPECT_EQ(popped.graph.globals()[0].verdict, GlobalClass::Dangerous);
  const auto instance = Stream().mark().text("1").inst("__builtin__", "exec").stop().run();
  EXPECT_EQ(instance.graph.globals()[0].verdict, GlobalClass::Dangerous);
}

TEST(PickleHostile, GlobalsBeforeABreakAreKept) {
  const Stream payload = Stream().global("os", "system").text("id").tuple1().reduce();
  for (const Stream& broken :
       {Stream(payload), Stream(payload).raw("\xff\xff"), Stream(payload).pop().pop()}) {
    const auto outcome = broken.run();
    ASSERT_TRUE(outcome.failure);
    ASSERT_EQ(outcome.graph.globals().size(), 1U);
    EXPECT_EQ(outcome.graph.globals()[0].name, "system");
    EXPECT_EQ(outcome.end,
              payload.size() + (broken.size() > payload.size() && broken.bytes()[payload.size()] == '0'));
  }
}

TEST(PickleHostile, OnlyTheFirstOfTwoStreamsIsRun) {
  const auto outcome = Stream().none().stop().global("os", "system").stop().run();
  EXPECT_EQ(show(outcome), "None");
  EXPECT_EQ(outcome.end, 2U);
  EXPECT_TRUE(outcome.graph.globals().empty());
}

TEST(PickleHostile, AMillionEqualKeysAreLinear) {
  const auto outcome = Stream()
                           .global("collections", "OrderedDict")
                           .empty_tuple()
                           .reduce()
                           .mark()
                           .repeat(1'000'000, Stream().text("k").none())
                           .setitems()
                           .stop()
                           .run();
  ASSERT_FALSE(outcome.failure);
  EXPECT_EQ(outcome.graph.items(outcome.root).size(), 2'000'000U);
}

TEST(PickleHostile, LimitsEndAStream) {
  Limits few_nodes;
  few_nodes.pickle_nodes = 10;
  EXPECT_FALSE(Stream().repeat(10, Stream().none()).stop().run(few_nodes).failure);
  EXPECT_EQ(Stream().repeat(11, Stream().none()).stop().run(few_nodes).failure->code(),
            ErrorCode::LimitExceeded);
  EXPECT_EQ(Stream().none().repeat(50, Stream().dup()).stop().run(few_nodes).failure->code(),
            ErrorCode::LimitExceeded);

  Limits few_bytes;
  few_bytes.pickle_bytes = 100;
  EXPECT_EQ(Stream().repeat(101, Stream().none()).stop().run(few_bytes).failure->code(),
            ErrorCode::LimitExceeded);
  EXPECT_FALSE(Stream().binbytes8(std::string(70'000, 'x')).stop().run(few_bytes).failure);
}

}  // namespace
}  // namespace weighbridge::pickle_test
