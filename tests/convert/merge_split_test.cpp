// Several checkpoints as one, and one as several.
#include <weighbridge/convert.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/small_checkpoints.hpp"

namespace weighbridge::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Merge, PutsTensorsAndMetadataTogether) {
  Checkpoint left = checkpoint({tensor("w", {1})});
  left.metadata = Metadata{{"format", "pt"}, {"by", "left"}};
  Checkpoint right = checkpoint({tensor("v", {1})});
  right.metadata = Metadata{{"format", "pt"}, {"by", "right"}};
  const Checkpoint both = merge_checkpoints({{left, "l.pt"}, {right, "r.pt", "r."}});
  EXPECT_THAT(names_of(both), ElementsAre("w", "r.v"));
  EXPECT_EQ(both.metadata, (Metadata{{"format", "pt"}, {"by", "left"}}));
  EXPECT_THAT(codes_of(both.findings), ElementsAre("MetadataConflict"));
  const Error error = error_of([&] { merge_checkpoints({{left, "l.pt"}, {left, "m.pt"}}); });
  EXPECT_EQ(error.code(), ErrorCode::NameCollision);
  EXPECT_THAT(error.what(), HasSubstr("'w' is a tensor of 'l.pt' and of 'm.pt'"));
}

TEST(Split, MakesAFileForEachGroup) {
  const Checkpoint all =
      checkpoint({tensor("unet.a.w", {1}), tensor("vae.w", {2}), tensor("unet.b.w", {3}), tensor("x", {4})});
  const Conversion plan = plan_split(all, "m.safetensors", 1, true);
  ASSERT_EQ(plan.files.size(), 3U);
  EXPECT_EQ(plan.files[0].name, "m.unet.safetensors");
  EXPECT_THAT(plan.files[0].plan.head, HasSubstr("\"a.w\""));
  EXPECT_EQ(plan.files[1].name, "m.vae.safetensors");
  EXPECT_EQ(plan.files[2].name, "m.rest.safetensors");
  EXPECT_EQ(plan_split(all, "m.safetensors", 2, false).files.size(), 4U);
  EXPECT_EQ(error_of([&] { plan_split(all, "m.safetensors", 0, false); }).code(), ErrorCode::InvalidArgument);
  const Checkpoint clash = checkpoint({tensor("a/b.w", {1}), tensor("a_b.w", {1})});
  EXPECT_EQ(error_of([&] { plan_split(clash, "m.safetensors", 1, false); }).code(), ErrorCode::NameCollision);
}

}  // namespace
}  // namespace weighbridge::test
