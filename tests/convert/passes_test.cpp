// Selecting, casting and renaming.
#include <array>
#include <cstring>

#include <weighbridge/convert.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/small_checkpoints.hpp"

namespace weighbridge::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Select, TakesAndDropsByPattern) {
  const Checkpoint all = checkpoint({tensor("a.w", {1}), tensor("a.b", {1}), tensor("c.w", {1})});
  EXPECT_THAT(names_of(apply_passes(all, {.select = {"a.*"}})), ElementsAre("a.w", "a.b"));
  EXPECT_THAT(names_of(apply_passes(all, {.drop = {"*.w"}})), ElementsAre("a.b"));
  EXPECT_THAT(names_of(apply_passes(all, {.select = {"a.*", "c.*"}, .drop = {"a.[b]"}})),
              ElementsAre("a.w", "c.w"));
  EXPECT_EQ(error_of([&] { apply_passes(all, {.select = {"x"}}); }).code(), ErrorCode::NoTensors);
  EXPECT_THAT(codes_of(apply_passes(all, {.select = {"a.w", "x"}}).findings),
              ElementsAre("PatternWithoutMatch", "TensorsLeftOut"));
}

TEST(Select, GivesAnAliasItsTensor) {
  Checkpoint tied = checkpoint({tensor("embed", {1, 2})});
  tied.metadata = Metadata{{"head", "embed"}, {"format", "pt"}};
  const Checkpoint head = apply_passes(tied, {.select = {"head"}});
  EXPECT_THAT(names_of(head), ElementsAre("head"));
  EXPECT_EQ(head.metadata, (Metadata{{"format", "pt"}}));
}

TEST(Rename, FollowsTheRulesInOrder) {
  const Checkpoint all =
      checkpoint({tensor("module.layer.0.gamma", {1}), tensor("module.layer.1.beta", {1})});
  PassOptions options{.strip_prefix = "module."};
  options.rename = {{"layer\\.(\\d+)", "blocks.\\1"}, {"gamma$", "weight"}, {"beta$", "bias"}};
  EXPECT_THAT(names_of(apply_passes(all, options)), ElementsAre("blocks.0.weight", "blocks.1.bias"));
}

TEST(Rename, RefusesWhatCannotBe) {
  const Checkpoint all = checkpoint({tensor("a.w", {1}), tensor("b.w", {1})});
  const Error collision = error_of([&] { apply_passes(all, {.rename = {{"^[ab]", "c"}}}); });
  EXPECT_EQ(collision.code(), ErrorCode::NameCollision);
  EXPECT_STREQ(collision.what(), "'a.w' and 'b.w' would both be named 'c.w'");
  EXPECT_THAT(error_of([&] { apply_passes(all, {.rename = {{"(", ""}}}); }).what(),
              HasSubstr("is no regular expression"));
  EXPECT_THAT(error_of([&] { apply_passes(all, {.rename = {{"a", "\\1"}}}); }).what(),
              HasSubstr("does not fit its pattern"));
  PassOptions growing;
  for (int i = 0; i < 10; ++i) growing.rename.push_back({"(.)", "\\1\\1\\1\\1"});
  EXPECT_EQ(error_of([&] { apply_passes(all, growing); }).code(), ErrorCode::LimitExceeded);
  EXPECT_THAT(codes_of(apply_passes(all, {.strip_prefix = "x", .rename = {{"y", ""}}}).findings),
              ElementsAre("PatternWithoutMatch", "PatternWithoutMatch"));
}

TEST(Cast, IsReadableAtAnyOffset) {
  std::vector<float> numbers(100'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i) / 7;
  const Checkpoint cast = apply_passes(checkpoint({tensor("w", numbers)}), {.dtype = DType::BF16});
  const ByteSource& source = *cast.tensors[0].data.source;
  ASSERT_EQ(source.size(), 200'000U);
  const Buffer whole = source.read(0, source.size());
  for (const auto& [offset, length] :
       {std::pair{0U, 1U}, {1U, 1U}, {1U, 2U}, {99'999U, 70'001U}, {199'999U, 1U}}) {
    const Buffer part = source.read(offset, length);
    EXPECT_TRUE(std::ranges::equal(part.bytes(), whole.bytes().subspan(offset, length))) << offset;
  }
}

TEST(Cast, KeepsTiesAndLeavesIntegersAlone) {
  TensorEntry first = tensor("a", {1, 2});
  TensorEntry second = first;
  second.spec.name = "b";
  TensorEntry integers = {.spec = {.name = "i", .dtype = DType::I32, .shape = {1}},
                          .data = {.source = source_of<int>({1})}};
  const Checkpoint cast = apply_passes(checkpoint({first, second, integers}), {.dtype = DType::F16});
  EXPECT_EQ(cast.tensors[0].data, cast.tensors[1].data);
  EXPECT_EQ(cast.tensors[2].spec.dtype, DType::I32);
  EXPECT_THAT(names_of(share_tensors(cast, SharedPolicy::Dedupe)), ElementsAre("a", "i"));
}

TEST(Cast, CountsWhatIsTooLargeOnceHoweverOftenItIsRead) {
  const Checkpoint cast = apply_passes(checkpoint({tensor("w", {1, 1e9F, -1e9F})}), {.dtype = DType::F16});
  Findings findings;
  EXPECT_EQ(report_casts(cast, findings), 0U);  // nobody has read it
  for (int i = 0; i < 3; ++i) static_cast<void>(cast.tensors[0].data.source->read(0, 6));
  EXPECT_EQ(report_casts(cast, findings), 2U);
  EXPECT_THAT(codes_of(findings), ElementsAre("CastOverflow"));
}

TEST(Cast, OfFourBitsReadsPairs) {
  TensorEntry packed = {.spec = {.name = "w", .dtype = DType::F4, .shape = {4}},
                        .data = {.source = source_of<std::uint8_t>({0x21, 0xF7})}};
  const Checkpoint cast = apply_passes(checkpoint({packed}), {.dtype = DType::F32});
  const Buffer bytes = cast.tensors[0].data.source->read(0, 16);
  std::array<float, 4> numbers{};
  std::memcpy(numbers.data(), bytes.bytes().data(), 16);
  EXPECT_THAT(numbers, ElementsAre(0.5F, 1.0F, 6.0F, -6.0F));
}

}  // namespace
}  // namespace weighbridge::test
