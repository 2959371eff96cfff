#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

#include "support/pickle_builder.hpp"

namespace weighbridge::pickle_test {
namespace {

using pickle::GlobalClass;
using pickle::Kind;

std::string shown(Stream stream) { return show(stream.stop().run()); }

Stream call(std::string_view module, std::string_view name, const Stream& arguments) {
  return Stream().global(module, name).raw(arguments.bytes()).reduce();
}

const Stream kPairs = Stream().mark().mark().text("a").binint1(1).list().text("b").binint1(2).tuple2().list();
const Stream kNumbers = Stream().mark().binint1(1).binint1(2).list();

TEST(PickleFold, OrderedDict) {
  EXPECT_EQ(shown(call("collections", "OrderedDict", Stream().empty_tuple())), "collections.OrderedDict{}");
  EXPECT_EQ(shown(call("collections", "OrderedDict", Stream(kPairs).tuple1())),
            "collections.OrderedDict{'a': 1, 'b': 2}");
  EXPECT_EQ(shown(call("collections", "OrderedDict", Stream().empty_tuple()).text("k").none().setitem()),
            "collections.OrderedDict{'k': None}");
}

TEST(PickleFold, OrderedDictKeepsItsAttributes) {
  EXPECT_EQ(shown(call("collections", "OrderedDict", Stream().empty_tuple()).empty_dict().build()),
            "collections.OrderedDict{}!{}");
}

TEST(PickleFold, OtherDicts) {
  EXPECT_EQ(shown(call("collections", "defaultdict", Stream().global("builtins", "list").tuple1())),
            "collections.defaultdict{}");
  EXPECT_EQ(shown(call("collections", "defaultdict", Stream().none().raw(kPairs.bytes()).tuple2())),
            "collections.defaultdict{'a': 1, 'b': 2}");
  EXPECT_EQ(
      shown(call("collections", "Counter", Stream().empty_dict().text("k").binint1(2).setitem().tuple1())),
      "collections.Counter{'k': 2}");
  EXPECT_EQ(shown(call("__builtin__", "dict", Stream(kPairs).tuple1())), "builtins.dict{'a': 1, 'b': 2}");
}

TEST(PickleFold, Sequences) {
  EXPECT_EQ(shown(call("collections", "deque", Stream(kNumbers).binint1(9).tuple2())),
            "collections.deque[1, 2]");
  EXPECT_EQ(shown(call("builtins", "list", Stream(kNumbers).tuple1())), "builtins.list[1, 2]");
  EXPECT_EQ(shown(call("builtins", "tuple", Stream(kNumbers).tuple1())), "builtins.tuple(1, 2)");
  EXPECT_EQ(shown(call("__builtin__", "set", Stream(kNumbers).tuple1())), "builtins.setset(1, 2)");
  EXPECT_EQ(shown(call("builtins", "frozenset", Stream(kNumbers).tuple1())),
            "builtins.frozensetfrozenset(1, 2)");
}

TEST(PickleFold, Bytes) {
  EXPECT_EQ(shown(call("builtins", "bytearray", Stream().short_binbytes("ab").tuple1())), "bytearray(b'ab')");
  EXPECT_EQ(shown(call("builtins", "bytearray", Stream().text("é").text("latin-1").tuple2())),
            "bytearray(b'\\xe9')");
  EXPECT_EQ(shown(call("builtins", "bytes", Stream().empty_tuple())), "b''");
  EXPECT_EQ(shown(call("_codecs", "encode", Stream().text("\xc2\x80\xc3\xbfz").text("latin1").tuple2())),
            "b'\\x80\\xffz'");
}

TEST(PickleFold, LongEncodedBytesAreDecodedOnce) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "\xc3\xa9";
  const Stream arguments = Stream().binunicode(text).binput(0).text("latin1").tuple2();
  const auto outcome = call("_codecs", "encode", arguments)
                           .global("_codecs", "encode")
                           .binget(0)
                           .text("latin1")
                           .tuple2()
                           .reduce()
                           .tuple2()
                           .stop()
                           .run();
  ASSERT_FALSE(outcome.failure) << outcome.failure->what();
  const auto items = outcome.graph.items(outcome.root);
  EXPECT_EQ(outcome.graph.text(items[0]), std::string(50'000, '\xe9'));
  EXPECT_EQ(outcome.graph.text(items[0]).data(), outcome.graph.text(items[1]).data());
}

TEST(PickleFold, EncodedTextThatIsNotLatin1StaysACall) {
  EXPECT_EQ(shown(call("_codecs", "encode", Stream().text("€").text("latin1").tuple2())),
            "_codecs.encode('€', 'latin1')");
  EXPECT_EQ(shown(call("_codecs", "encode", Stream().text("a").text("rot13").tuple2())),
            "_codecs.encode('a', 'rot13')");
}

TEST(PickleFold, UnusualArgumentsStayACall) {
  EXPECT_EQ(shown(call("collections", "OrderedDict", Stream(kNumbers).tuple1())),
            "collections.OrderedDict([1, 2])");
  EXPECT_EQ(shown(call("builtins", "set", Stream().binint1(1).tuple1())), "builtins.set(1)");
}

TEST(PickleFold, GetattrOfAGlobalIsAGlobal) {
  const auto outcome =
      call("__builtin__", "getattr", Stream().global("torch._utils", "torch").text("channels_last").tuple2())
          .stop()
          .run();
  EXPECT_EQ(show(outcome), "torch._utils.torch.channels_last");
  ASSERT_EQ(outcome.graph.globals().size(), 3U);
  for (const auto& use : outcome.graph.globals()) EXPECT_NE(use.verdict, GlobalClass::Dangerous) << use.name;
}

GlobalClass worst(const pickle::Outcome& outcome) {
  GlobalClass worst = GlobalClass::Constructor;
  for (const auto& use : outcome.graph.globals()) worst = std::max(worst, use.verdict);
  return worst;
}

TEST(PickleFold, EveryOtherGetattrIsDangerous) {
  const Stream inner = call("builtins", "getattr", Stream().global("a", "b").text("c").tuple2());
  EXPECT_EQ(worst(Stream(inner).stop().run()), GlobalClass::Inert);
  EXPECT_EQ(worst(call("builtins", "getattr", Stream(inner).text("d").tuple2()).stop().run()),
            GlobalClass::Dangerous);
  EXPECT_EQ(worst(call("builtins", "getattr", Stream().text("x").text("d").tuple2()).stop().run()),
            GlobalClass::Dangerous);
  EXPECT_EQ(worst(call("a", "map", Stream(inner).pop().global("builtins", "getattr").tuple1()).stop().run()),
            GlobalClass::Dangerous);
  EXPECT_EQ(worst(Stream(inner).pop().global("builtins", "getattr").stop().run()), GlobalClass::Dangerous);
  EXPECT_EQ(
      worst(call("builtins", "getattr", Stream().global("a", "os").text("system").tuple2()).stop().run()),
      GlobalClass::Dangerous);
}

TEST(PickleFold, OneGetattrUsedTwiceIsJudgedByItsWorstUse) {
  Stream stream =
      Stream().global("builtins", "getattr").binput(0).global("a", "b").text("c").tuple2().reduce().pop();
  stream.binget(0).none().text("c").tuple2().reduce().stop();
  EXPECT_EQ(worst(stream.run()), GlobalClass::Dangerous);
}

// One long argument, used in call after call.
std::optional<Error> call_again_and_again(std::string_view module, std::string_view name,
                                          const Stream& arguments) {
  Stream stream = Stream(arguments).binput(1).global(module, name).binput(0);
  stream.repeat(100'000, Stream().binget(0).binget(1).reduce().pop()).stop();
  return stream.run().failure;
}

TEST(PickleFold, RepeatedCopiesOfOneListAreRefused) {
  const Stream longest = Stream().mark().repeat(50'000, Stream().none()).list();
  const auto copied = call_again_and_again("builtins", "list", Stream(longest).tuple1());
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->code(), ErrorCode::LimitExceeded);
  const auto searched = call_again_and_again("builtins", "dict", Stream(longest).tuple1());
  ASSERT_TRUE(searched);
  EXPECT_EQ(searched->code(), ErrorCode::LimitExceeded);
}

TEST(PickleFold, RepeatedUseOfLongArgumentsIsCheap) {
  const Stream many = Stream().mark().repeat(50'000, Stream().none()).tuple();
  EXPECT_FALSE(call_again_and_again("collections", "OrderedDict", many));
  const Stream no_latin1 = Stream().binunicode(std::string(60'000, 'a') + "€").text("latin1").tuple2();
  EXPECT_FALSE(call_again_and_again("_codecs", "encode", no_latin1));
}

}  // namespace
}  // namespace weighbridge::pickle_test
