#include <map>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/error.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weighbridge {
namespace {

using testing::HasSubstr;

/// A folder in memory.
class MemoryFolder final : public InputFolder {
 public:
  explicit MemoryFolder(std::map<std::string, std::string, std::less<>> files) : files_(std::move(files)) {}

  SourcePtr find(std::string_view name, Links) const override {
    const auto file = files_.find(name);
    return file == files_.end() ? nullptr : memory_source(Buffer::take(file->second));
  }

 private:
  std::map<std::string, std::string, std::less<>> files_;
};

/// A file of U8 tensors of two equal bytes each.
std::string shard(const std::map<std::string, char>& tensors, const std::optional<Metadata>& metadata = {}) {
  std::vector<TensorSpec> specs;
  for (const auto& [name, value] : tensors) specs.push_back({.name = name, .dtype = DType::U8, .shape = {2}});
  const SerializedHeader header = serialize_header(specs, metadata);
  std::string file = header.bytes;
  for (const std::size_t i : header.order) file += std::string(2, tensors.at(specs[i].name));
  return file;
}

Checkpoint read(const std::string& weight_map, std::map<std::string, std::string, std::less<>> files) {
  OpenOptions options;
  options.folder = std::make_shared<MemoryFolder>(std::move(files));
  return read_checkpoint(memory_source(Buffer::take("{\"weight_map\": {" + weight_map + "}}")), options);
}

Error error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, ""};
}

TEST(ShardedRead, RemembersTheFileOfEachTensor) {
  const Checkpoint checkpoint =
      read(R"("x": "a", "y": "b")",
           {{"a", shard({{"x", 1}}, Metadata{{"format", "pt"}})}, {"b", shard({{"y", 2}})}});
  EXPECT_EQ(checkpoint.format, "sharded");
  ASSERT_EQ(checkpoint.tensors.size(), 2U);
  EXPECT_EQ(checkpoint.shards[checkpoint.find("x")->shard], "a");
  EXPECT_EQ(checkpoint.shards[checkpoint.find("y")->shard], "b");
  EXPECT_EQ(checkpoint.metadata->at("format"), "pt");
  EXPECT_TRUE(checkpoint.findings.empty());
}

TEST(ShardedRead, NamesTheShardInItsErrors) {
  const Error error = error_of([] { read(R"("x": "a")", {{"a", "no checkpoint"}}); });
  EXPECT_THAT(error.what(), HasSubstr("shard 'a': "));
}

TEST(ShardedRead, NeedsEveryTensorWhereTheIndexHasIt) {
  const auto x = shard({{"x", 1}});
  const auto y = shard({{"y", 1}});
  EXPECT_THAT(error_of([&] { read(R"("x": "a")", {}); }).what(), HasSubstr("shard 'a' is not beside"));
  EXPECT_THAT(error_of([&] { read(R"("x": "a", "z": "a")", {{"a", x}}); }).what(),
              HasSubstr("tensor 'z' is not in 'a'"));
  EXPECT_THAT(error_of([&] { read(R"("x": "b", "y": "a")", {{"a", x}, {"b", y}}); }).what(),
              HasSubstr("tensor 'x' is not in 'b'"));
}

TEST(ShardedRead, ANameThatMetadataTiesNeedsNoBytes) {
  const auto tied = shard({{"x", 1}}, Metadata{{"z", "x"}});
  EXPECT_EQ(read(R"("x": "a", "z": "a")", {{"a", tied}}).tensors.size(), 1U);
}

TEST(ShardedRead, ReportsTensorsThatTheIndexDoesNotKnow) {
  const Checkpoint checkpoint = read(R"("x": "a")", {{"a", shard({{"x", 1}, {"more", 2}})}});
  EXPECT_EQ(checkpoint.tensors.size(), 2U);
  ASSERT_EQ(checkpoint.findings.size(), 1U);
  EXPECT_EQ(checkpoint.findings[0].code, "UnmappedTensors");
  EXPECT_EQ(checkpoint.findings[0].subject, "more");
}

TEST(ShardedRead, OneNameMeansOneContent) {
  const auto a = shard({{"x", 1}, {"s", 3}});
  const auto same = shard({{"y", 2}, {"s", 3}});
  const auto other = shard({{"y", 2}, {"s", 4}});
  const Checkpoint checkpoint = read(R"("x": "a", "y": "b", "s": "b")", {{"a", a}, {"b", same}});
  EXPECT_EQ(checkpoint.tensors.size(), 3U);
  EXPECT_EQ(checkpoint.find("s")->shard, 1U);
  EXPECT_EQ(error_of([&] { read(R"("x": "a", "y": "b", "s": "b")", {{"a", a}, {"b", other}}); }).code(),
            ErrorCode::NameCollision);
}

TEST(ShardedRead, AnIndexIsNoShard) {
  EXPECT_EQ(error_of([] { read(R"("x": "a")", {{"a", R"({"weight_map": {"x": "a"}})"}}); }).code(),
            ErrorCode::Unsupported);
}

TEST(ShardedRead, NeedsAFolder) {
  const auto index = memory_source(Buffer::take(std::string(R"({"weight_map": {"x": "a"}})")));
  EXPECT_EQ(error_of([&] { read_checkpoint(index); }).code(), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace weighbridge
