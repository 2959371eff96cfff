#include "convert/shards.hpp"

#include <weighbridge/convert.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weighbridge {
namespace {

using testing::ElementsAre;

/// Tensors of the given sizes, named "0", "1", ...
Checkpoint of_sizes(const std::vector<std::uint64_t>& sizes) {
  const auto source = memory_source(Buffer::take(std::string(1000, 'x')));
  Checkpoint checkpoint;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    checkpoint.tensors.push_back(
        {.spec = {.name = std::to_string(i), .dtype = DType::U8, .shape = {sizes[i]}},
         .data = {.source = source, .offset = i}});
  }
  return checkpoint;
}

TEST(Shards, AreFilledInOrder) {
  EXPECT_THAT(split_tensors(of_sizes({40, 60, 1, 99}), 100),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
}

TEST(Shards, ALargerTensorGetsOneOfItsOwnAndClosesNone) {
  EXPECT_THAT(split_tensors(of_sizes({40, 500, 60}), 100), ElementsAre(ElementsAre(1), ElementsAre(0, 2)));
}

TEST(Shards, OfNothingAreOne) {
  EXPECT_EQ(split_tensors(of_sizes({}), 100).size(), 1U);
  EXPECT_LE(split_tensors(of_sizes({}), 0).size(), 1U);
}

TEST(Shards, StayAsTheyWereReadWithoutABound) {
  Checkpoint checkpoint = of_sizes({1, 1, 1});
  checkpoint.tensors[1].shard = 2;
  EXPECT_THAT(split_tensors(checkpoint, 0), ElementsAre(ElementsAre(0, 2), ElementsAre(1)));
}

TEST(Shards, HaveTheAliasesOfTheirOwnTensorsOnly) {
  Checkpoint checkpoint = of_sizes({1, 1});
  checkpoint.metadata = Metadata{{"format", "pt"}, {"tied", "0"}};
  EXPECT_EQ(select_tensors(checkpoint, {0}).metadata, checkpoint.metadata);
  EXPECT_EQ(select_tensors(checkpoint, {1}).metadata, (Metadata{{"format", "pt"}}));
}

TEST(FileNames, AreMadeFromTheOutputs) {
  EXPECT_EQ(optimizer_file_name("m.safetensors"), "m.optimizer.safetensors");
  EXPECT_EQ(sidecar_file_name("m.safetensors"), "m.safetensors.meta.json");
  EXPECT_EQ(index_file_name("m.safetensors"), "m.safetensors.index.json");
  EXPECT_EQ(shard_file_name("m.safetensors", 0, 12), "m-00001-of-00012.safetensors");
  EXPECT_EQ(shard_file_name("odd", 1, 2), "odd-00002-of-00002.safetensors");
  EXPECT_EQ(whole_file_name("pytorch_model.bin.index.json"), "pytorch_model.bin");
  EXPECT_EQ(whole_file_name("m.safetensors"), "m.safetensors");
}

}  // namespace
}  // namespace weighbridge
