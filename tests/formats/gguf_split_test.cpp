// GGUF models in several files.
#include <map>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gguf_builder.hpp"

namespace weighbridge {
namespace {

using test::GgufBuilder;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t kF32 = 0;

Error error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, ""};
}

class MemoryFolder final : public InputFolder {
 public:
  std::map<std::string, std::string, std::less<>> files;

  SourcePtr find(std::string_view name, Links) const override {
    const auto file = files.find(name);
    return file == files.end() ? nullptr : memory_source(Buffer::take(file->second));
  }
};

constexpr std::uint32_t kU16 = 2;
constexpr std::uint32_t kI32 = 5;

std::string part(std::uint64_t number, std::uint64_t count, std::uint64_t tensors,
                 const std::vector<std::string>& names) {
  GgufBuilder file;
  if (number == 0) file.text("general.architecture", "test");
  file.number("split.no", kU16, number, 2);
  file.number("split.count", kU16, count, 2);
  file.number("split.tensors.count", kI32, tensors, 4);
  for (const std::string& name : names) file.tensor(name, {1}, kF32, "1234");
  return file.bytes();
}

Checkpoint read_parts(std::map<std::string, std::string, std::less<>> files, const std::string& given) {
  const auto folder = std::make_shared<MemoryFolder>();
  folder->files = std::move(files);
  OpenOptions options;
  options.folder = folder;
  options.input_name = given;
  return read_checkpoint(folder->find(given, Links::Follow), options);
}

TEST(GgufSplit, AnyPartStandsForAll) {
  for (const char* given : {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"}) {
    const Checkpoint checkpoint = read_parts(
        {{"m-00001-of-00002.gguf", part(0, 2, 2, {"a"})}, {"m-00002-of-00002.gguf", part(1, 2, 2, {"b"})}},
        given);
    ASSERT_EQ(checkpoint.tensors.size(), 2U);
    EXPECT_EQ(checkpoint.tensors[1].spec.name, "b");
    EXPECT_EQ(checkpoint.tensors[1].shard, 1U);
    EXPECT_THAT(checkpoint.shards, ElementsAre("m-00001-of-00002.gguf", "m-00002-of-00002.gguf"));
    EXPECT_EQ(checkpoint.extras->count(), 1U);  // the architecture: how it was split is no matter
  }
}

TEST(GgufSplit, PartsMustBelongTogether) {
  const auto read_two = [](const std::string& second) {
    return error_of([&] {
      read_parts({{"m-00001-of-00002.gguf", part(0, 2, 2, {"a"})}, {"m-00002-of-00002.gguf", second}},
                 "m-00001-of-00002.gguf");
    });
  };
  EXPECT_THAT(read_two(part(0, 2, 2, {"b"})).what(), HasSubstr("does not say that it is part 2 of 2"));
  EXPECT_THAT(read_two(part(1, 2, 3, {"b"})).what(), HasSubstr("3 tensors; its parts have 2"));
  EXPECT_EQ(read_two(part(1, 2, 2, {"a"})).code(), ErrorCode::NameCollision);
  EXPECT_THAT(read_two("GGUF").what(), HasSubstr("part 'm-00002-of-00002.gguf': "));
}

TEST(GgufSplit, NamesAndFoldersAreNeeded) {
  const std::string first = part(0, 2, 2, {"a"});
  EXPECT_THAT(error_of([&] { read_parts({{"m.gguf", first}}, "m.gguf"); }).what(),
              HasSubstr("should be called <name>-00001-of-00002.gguf"));
  EXPECT_THAT(
      error_of([&] { read_parts({{"m-00001-of-00002.gguf", first}}, "m-00001-of-00002.gguf"); }).what(),
      HasSubstr("'m-00002-of-00002.gguf' of the model is not beside it"));
  EXPECT_EQ(error_of([&] { read_checkpoint(memory_source(Buffer::take(first))); }).code(),
            ErrorCode::Unsupported);
  const std::string odd = part(7, 2, 2, {"a"});
  EXPECT_THAT(error_of([&] { read_parts({{"m-00008-of-00002.gguf", odd}}, "m-00008-of-00002.gguf"); }).what(),
              HasSubstr("split.no is 7"));
}

TEST(GgufSplit, ValuesThatDifferAreReported) {
  GgufBuilder second;
  second.text("general.architecture", "other");
  second.number("split.no", kU16, 1, 2);
  second.number("split.count", kU16, 2, 2);
  const Checkpoint checkpoint =
      read_parts({{"m-00001-of-00002.gguf", part(0, 2, 1, {"a"})}, {"m-00002-of-00002.gguf", second.bytes()}},
                 "m-00001-of-00002.gguf");
  ASSERT_EQ(checkpoint.findings.size(), 1U);
  EXPECT_EQ(checkpoint.findings[0].code, "KeyValuesNotTaken");
}

}  // namespace
}  // namespace weighbridge
