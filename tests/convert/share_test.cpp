#include <weighbridge/checkpoint.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weighbridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

SourcePtr storage(std::size_t bytes) { return memory_source(Buffer::take(std::vector<std::byte>(bytes))); }

TensorEntry view(std::string name, SourcePtr source, Shape shape, std::uint64_t offset = 0,
                 Shape strides = {}) {
  return {.spec = {.name = std::move(name), .dtype = DType::F32, .shape = std::move(shape)},
          .data = {.source = std::move(source), .offset = offset, .strides = std::move(strides)}};
}

Checkpoint checkpoint_of(std::vector<TensorEntry> tensors) {
  Checkpoint checkpoint;
  checkpoint.tensors = std::move(tensors);
  return checkpoint;
}

std::vector<std::string> names(const Checkpoint& checkpoint) {
  std::vector<std::string> result;
  for (const TensorEntry& entry : checkpoint.tensors) result.push_back(entry.spec.name);
  return result;
}

TEST(ShareTensors, KeepsTheFirstNameAndRecordsTheOthers) {
  const SourcePtr weights = storage(24);
  const Checkpoint result =
      share_tensors(checkpoint_of({view("wte", weights, {2, 3}), view("bias", storage(8), {2}),
                                   view("lm_head", weights, {2, 3})}),
                    SharedPolicy::Dedupe);
  EXPECT_THAT(names(result), ElementsAre("bias", "lm_head"));
  EXPECT_THAT(*result.metadata, ElementsAre(Pair("wte", "lm_head")));
  EXPECT_THAT(result.findings, IsEmpty());
}

TEST(ShareTensors, KeepsATensorWhoseNameTheMetadataUsesOtherwise) {
  const SourcePtr weights = storage(8);
  Checkpoint tied = checkpoint_of({view("a", weights, {2}), view("format", weights, {2})});
  tied.metadata = Metadata{{"format", "pt"}};
  const Checkpoint result = share_tensors(std::move(tied), SharedPolicy::Dedupe);
  EXPECT_THAT(names(result), ElementsAre("a", "format"));
  EXPECT_THAT(*result.metadata, ElementsAre(Pair("format", "pt")));
}

TEST(ShareTensors, KeepsATensorThatIsOnlyASliceOfAnother) {
  const SourcePtr weights = storage(24);
  const Checkpoint result = share_tensors(
      checkpoint_of({view("a", weights, {2, 3}), view("b", weights, {3})}), SharedPolicy::Dedupe);
  EXPECT_THAT(names(result), ElementsAre("a", "b"));
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].code, "OverlappingTensors");
}

TEST(ShareTensors, TellsATransposedViewFromItsBase) {
  const SourcePtr weights = storage(16);
  const Checkpoint result =
      share_tensors(checkpoint_of({view("a", weights, {2, 2}), view("t", weights, {2, 2}, 0, {4, 8})}),
                    SharedPolicy::Dedupe);
  EXPECT_EQ(result.tensors.size(), 2U);
}

TEST(ShareTensors, DoesNotReportNeighboursInOneStorage) {
  const SourcePtr weights = storage(16);
  const Checkpoint result = share_tensors(
      checkpoint_of({view("a", weights, {2}), view("b", weights, {2}, 8)}), SharedPolicy::Dedupe);
  EXPECT_THAT(result.findings, IsEmpty());
}

TEST(ShareTensors, FindsAnOverlapBehindAShorterNeighbour) {
  const SourcePtr weights = storage(100);
  const Checkpoint result = share_tensors(
      checkpoint_of({view("a", weights, {20}), view("b", weights, {2}, 8), view("c", weights, {2}, 40)}),
      SharedPolicy::Copy);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_THAT(result.findings[0].message, testing::StartsWith("3 tensors"));
}

TEST(ShareTensors, DoesNotCallEmptyTensorsTied) {
  const SourcePtr nothing = storage(0);
  const Checkpoint result =
      share_tensors(checkpoint_of({view("a", nothing, {0}), view("b", nothing, {0})}), SharedPolicy::Refuse);
  EXPECT_EQ(result.tensors.size(), 2U);
}

TEST(ShareTensors, CopyKeepsEveryName) {
  const SourcePtr weights = storage(8);
  const Checkpoint result =
      share_tensors(checkpoint_of({view("a", weights, {2}), view("b", weights, {2})}), SharedPolicy::Copy);
  EXPECT_EQ(result.tensors.size(), 2U);
  EXPECT_FALSE(result.metadata.has_value());
}

TEST(ShareTensors, RefuseNamesTheTie) {
  const SourcePtr weights = storage(8);
  try {
    share_tensors(checkpoint_of({view("a", weights, {2}), view("b", weights, {2})}), SharedPolicy::Refuse);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::SharedTensors);
    EXPECT_STREQ(error.what(), "tensors 'a' and 'b' are the same memory (1 such groups in all)");
  }
}

}  // namespace
}  // namespace weighbridge
