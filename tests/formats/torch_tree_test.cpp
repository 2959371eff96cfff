#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Checkpoint load_root(const py::Value& root) { return load(zip_checkpoint(root, {{"0", floats(1)}})); }

std::vector<std::string> names_under(const py::Value& key) {
  return names_of(load_root(py::dict({{key, py::one_float()}})));
}

TEST(TorchNames, AreDottedPaths) {
  const py::Value root =
      py::dict({{py::text("a"), py::dict({{py::text("b"), py::one_float()}})},
                {py::text("c"), py::list({py::one_float(), py::tuple({py::one_float()})})}});
  EXPECT_THAT(names_of(load_root(root)), ElementsAre("a.b", "c.0", "c.1.0"));
}

TEST(TorchNames, SpellKeysOfEveryKind) {
  EXPECT_THAT(names_under(py::integer(-3)), ElementsAre("-3"));
  EXPECT_THAT(names_under(py::bytes("raw")), ElementsAre("raw"));
  EXPECT_THAT(names_under(py::py2_string("old")), ElementsAre("old"));
  EXPECT_THAT(names_under(py::tuple({py::integer(1), py::text("a")})), ElementsAre("(1, 'a')"));
  EXPECT_THAT(names_under(py::tuple({py::integer(1)})), ElementsAre("(1,)"));
  EXPECT_THAT(names_under(py::boolean(true)), ElementsAre("True"));
  EXPECT_THAT(names_under(py::text("")), ElementsAre(""));
}

TEST(TorchNames, EscapeWhatIsNotUtf8AndSaySo) {
  const Checkpoint checkpoint = load_root(py::dict({{py::text("a\xED\xA0\x80"), py::one_float()}}));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("a\\ud800"));
  EXPECT_THAT(codes_of(checkpoint), Contains("EscapedName"));
  EXPECT_THAT(names_under(py::bytes("\xFFz")), ElementsAre("\\xffz"));
}

TEST(TorchNames, RefuseKeysThatHaveNoText) {
  EXPECT_EQ(error_of([] { names_under(py::real(1.5)); }).code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchNames, ThatCollideAreRefusedWithBothPaths) {
  const py::Value numbers = py::dict({{py::integer(0), py::one_float()}, {py::text("0"), py::one_float()}});
  const Error error = error_of([&] { load_root(numbers); });
  EXPECT_EQ(error.code(), ErrorCode::NameCollision);
  EXPECT_STREQ(error.what(), "two tensors would be named '0': [0] and ['0']");
  const py::Value dotted = py::dict(
      {{py::text("a.b"), py::one_float()}, {py::text("a"), py::dict({{py::text("b"), py::one_float()}})}});
  EXPECT_THAT(error_of([&] { load_root(dotted); }).what(), HasSubstr("['a.b'] and ['a']['b']"));
}

TEST(TorchNames, OfARepeatedKeyBelongToItsLastValue) {
  const py::Value second = py::tensor(py::storage("FloatStorage", "1", 2), 0, {2}, {1});
  const py::Value root =
      py::dict({{py::text("w"), py::one_float()}, {py::text("x"), py::one_float()}, {py::text("w"), second}});
  const Checkpoint checkpoint = load(zip_checkpoint(root, {{"0", floats(1)}, {"1", floats(2)}}));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w", "x"));
  EXPECT_EQ(checkpoint.tensors[0].spec.shape, (Shape{2}));
}

TEST(TorchNames, OfLoneTensorsAreFixed) {
  EXPECT_THAT(names_of(load_root(py::one_float())), ElementsAre("tensor"));
}

TEST(TorchNames, AreBoundedByTheirBytesHoweverLongTheKey) {
  const auto load_key = [](std::size_t bytes) {
    return error_of([&] { load_root(py::dict({{py::text(std::string(bytes, 'k')), py::one_float()}})); });
  };
  EXPECT_EQ(load_key(64 * 1024 + 1).code(), ErrorCode::LimitExceeded);
  EXPECT_THAT(load_key(1'000'000).what(), HasSubstr("has 1000000 bytes, the limit is 65536"));
}

TEST(TorchNames, ReachIntoUnknownObjects) {
  const py::Value object = py::build(py::object(py::global("my.module", "Thing")),
                                     py::dict({{py::text("inner"), py::one_float()}}));
  EXPECT_THAT(names_of(load_root(py::dict({{py::text("thing"), object}}))), ElementsAre("thing.inner"));
}

TEST(TorchWalk, CutsContainersThatHoldThemselves) {
  const py::Value root =
      py::keep("}", 1) + "(" + py::text("w") + py::one_float() + py::text("self") + py::again(1) + "u";
  EXPECT_THAT(names_of(load_root(root)), ElementsAre("w"));
}

/// Two to the power of `levels` ways to the innermost value.
py::Value laughs(const py::Value& innermost, std::uint8_t levels) {
  py::Value value = py::keep(py::list({innermost}), 0);
  for (std::uint8_t i = 1; i <= levels; ++i) {
    value = py::keep("](" + value + py::again(static_cast<std::uint8_t>(i - 1)) + "e", i);
  }
  return value;
}

TEST(TorchWalk, IsQuickWhereSharedContainersHoldNoTensor) {
  const Checkpoint checkpoint = load(py::pickle(laughs(py::integer(1), 60)));
  EXPECT_TRUE(checkpoint.tensors.empty());
  EXPECT_LE(checkpoint.extras->count(), 200U);
  EXPECT_LE(checkpoint.extras->to_json(Limits{}).size(), 100'000U);
}

TEST(TorchWalk, StopsWhereSharedContainersMultiplyTensors) {
  const std::string file = zip_checkpoint(laughs(py::one_float(), 60), {{"0", floats(1)}}).bytes();
  OpenOptions options;
  options.limits.tensors = 1000;
  EXPECT_EQ(error_of([&] { read_checkpoint(source_of(file), options); }).code(), ErrorCode::LimitExceeded);
}

TEST(TorchWalk, StopsAtItsDepth) {
  py::Value deep = py::one_float();
  for (int i = 0; i < 600; ++i) deep = py::list({deep});
  EXPECT_EQ(error_of([&] { load_root(deep); }).code(), ErrorCode::LimitExceeded);
}

TEST(TorchWalk, BearsListsNestedFarBeyondAnyStack) {
  const std::string nested = std::string(200'000, ']') + std::string(199'999, 'a');
  const Checkpoint checkpoint = load(py::pickle(nested));
  EXPECT_EQ(checkpoint.extras->count(), 1U);
  EXPECT_EQ(checkpoint.extras->list(5).size(), 1U);
}

}  // namespace
}  // namespace weighbridge::test
