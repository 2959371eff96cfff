#include <weighbridge/hash.hpp>

#include <gtest/gtest.h>

#include "io/support.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

TEST(Sha256, MatchesTheStandardsExamples) {
  EXPECT_EQ(sha256(*in_memory("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(*in_memory("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(*in_memory(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheSourceIsRead) {
  const TempFolder folder;
  const std::string content = pattern(9'000'001);
  put_file(folder / "f", content);
  const std::string expected = sha256(*in_memory(content));
  EXPECT_EQ(sha256(*open_file(folder / "f", ReadMode::Mapped)), expected);
  EXPECT_EQ(sha256(*open_file(folder / "f", ReadMode::Positional)), expected);
  EXPECT_EQ(sha256(ReadOnlySource(content)), expected);
}

TensorEntry tensor(SourcePtr source, DType dtype, Shape shape, TensorData data) {
  data.source = std::move(source);
  return {.spec = {.name = "t", .dtype = dtype, .shape = std::move(shape)}, .data = std::move(data)};
}

TEST(Sha256, OfATensorIsThatOfItsBytesInTheFile) {
  const auto stored = in_memory("--abcdefgh");
  const std::string expected = sha256(*in_memory("acegbdfh"));
  EXPECT_EQ(sha256(tensor(in_memory("acegbdfh"), DType::U8, {2, 4}, {})), expected);
  EXPECT_EQ(sha256(tensor(stored, DType::U8, {2, 4}, {.offset = 2, .strides = {1, 2}})), expected);
  EXPECT_EQ(sha256(tensor(in_memory("unused"), DType::U8, {0}, {})), sha256(*in_memory("")));
  EXPECT_EQ(sha256(tensor(in_memory("caegdbhf"), DType::I16, {4}, {.transform = Transform::Swap2})),
            sha256(*in_memory("acgebdfh")));
}

}  // namespace
}  // namespace weighbridge
