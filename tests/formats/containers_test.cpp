// Checkpoints within compressed files and archives: what is inside is found by its content.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/compressors.hpp"
#include "support/tar_builder.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using compressed::Codec;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// A checkpoint of one tensor of one float under that name.
std::string checkpoint_of(const std::string& name, const std::string& content = "wxyz") {
  return zip_checkpoint(py::dict({{py::text(name), py::one_float()}}), {{"0", content}}).bytes();
}

Error refusal(const std::string& file, const OpenOptions& options = {}) {
  return error_of([&] { read_checkpoint(source_of(file), options); });
}

TEST(Containers, AreNamedFromTheOutside) {
  TarBuilder tar;
  tar.add("weights.th", checkpoint_of("w"));
  const Checkpoint checkpoint = load_found(compress(Codec::Gzip, tar.bytes()));
  EXPECT_EQ(checkpoint.format, "gzip, tar, torch-zip");
  EXPECT_EQ(content_of(checkpoint.tensors.at(0)), "wxyz");
  EXPECT_EQ(find_format(*source_of(tar.bytes())), "tar");
  EXPECT_EQ(find_format(*source_of(compress(Codec::Xz, "x"))), "xz");
}

TEST(Containers, MayStandInEachOtherUpToALimit) {
  std::string file = checkpoint_of("w");
  for (int level = 0; level < 4; ++level) file = compress(Codec::Bzip2, file);
  EXPECT_EQ(load_found(file).format, "bzip2, bzip2, bzip2, bzip2, torch-zip");
  const Error error = refusal(compress(Codec::Gzip, file));
  EXPECT_EQ(error.code(), ErrorCode::LimitExceeded);
  EXPECT_THAT(error.what(), HasSubstr("a bzip2 container within too many others"));
}

TEST(Containers, CountTheirContentAsWhatWasRead) {
  const std::string inside = checkpoint_of("w");
  EXPECT_EQ(load_found(compress(Codec::Xz, inside)).source_bytes, inside.size());
}

TEST(TarOfCheckpoints, NamesTheOtherMembers) {
  TarBuilder tar;
  tar.add("config.json", "{}");
  tar.add("weights.th", checkpoint_of("w"));
  tar.add("labels.txt", "Ia text that starts like a pickle");
  const Checkpoint checkpoint = load_found(tar.bytes());
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w"));
  EXPECT_THAT(codes_of(checkpoint), Contains("MembersNotRead"));
  EXPECT_THAT(checkpoint.findings.back().message, HasSubstr("'config.json', 'labels.txt'"));
}

TEST(TarOfCheckpoints, PrefixesTheNamesOfSeveral) {
  TarBuilder tar;
  tar.add("a.th", checkpoint_of("w", "aaaa"));
  tar.add("sub/b.th", checkpoint_of("w", "bbbb"));
  const Checkpoint all = load_found(tar.bytes());
  EXPECT_THAT(names_of(all), ElementsAre("a.w", "sub.b.w"));
  EXPECT_EQ(all.candidates.front().tensors, 2U);

  const Checkpoint one = load(tar.bytes(), "sub.b");
  EXPECT_THAT(names_of(one), ElementsAre("w"));
  EXPECT_EQ(content_of(one.tensors.at(0)), "bbbb");
  EXPECT_THAT(codes_of(one), Contains("MembersNotTaken"));
  EXPECT_THAT(names_of(load(tar.bytes(), "a.w")), ElementsAre("tensor"));
}

TEST(TarOfCheckpoints, KeepsExtensionsThatTellMembersApart) {
  TarBuilder tar;
  tar.add("a.th", checkpoint_of("w"));
  tar.add("a.pt", checkpoint_of("w"));
  EXPECT_THAT(names_of(load_found(tar.bytes())), ElementsAre("a.th.w", "a.pt.w"));
}

TEST(TarOfCheckpoints, SaysWhichMembersThereAre) {
  TarBuilder tar;
  tar.add("a.th", checkpoint_of("w"));
  tar.add("b.th", checkpoint_of("w"));
  const Error error = error_of([&] { load(tar.bytes(), "c"); });
  EXPECT_STREQ(error.what(), "there is nothing at 'c'; the file has 'a', 'b'");
}

TEST(TarOfCheckpoints, NamesTheMemberInErrors) {
  TarBuilder tar;
  tar.add("a.th", zip_checkpoint(py::one_float(), {{"0", "wx"}}).bytes());
  EXPECT_THAT(refusal(tar.bytes()).what(), HasSubstr("'a.th': storage '0': the record has 2 bytes"));
}

TEST(TarOfCheckpoints, JoinsWhatIsNoTensor) {
  TarBuilder tar;
  const py::Value root = py::dict({{py::text("w"), py::one_float()}, {py::text("epoch"), py::integer(3)}});
  for (const char* name : {"a.th", "b.th"}) tar.add(name, zip_checkpoint(root, {{"0", "wxyz"}}).bytes());
  const Checkpoint checkpoint = load_found(tar.bytes());
  ASSERT_NE(checkpoint.extras, nullptr);
  EXPECT_EQ(checkpoint.extras->count(), 2U);
  EXPECT_EQ(checkpoint.extras->list(9).back().path, "b.epoch");
  const std::string json = checkpoint.extras->to_json(Limits{});
  EXPECT_THAT(json, HasSubstr(R"({"$bundle":[{"prefix":"a.","content":{)"));
  EXPECT_THAT(json, HasSubstr(R"(,{"prefix":"b.","content":{)"));
}

TEST(TarOfCheckpoints, IsUnknownWithoutOne) {
  TarBuilder tar;
  tar.add("config.json", "{}");
  const Error error = refusal(tar.bytes());
  EXPECT_EQ(error.code(), ErrorCode::UnknownFormat);
  EXPECT_STREQ(
      error.what(),
      "a tar archive without a checkpoint; files of the archive that are no checkpoints: 'config.json'");
}

TEST(TarOfCheckpoints, ReadsSixtyFourAtMost) {
  TarBuilder tar;
  for (int i = 0; i < 65; ++i) tar.add(fmt::format("{}.th", i), checkpoint_of("w"));
  EXPECT_EQ(refusal(tar.bytes()).code(), ErrorCode::LimitExceeded);
  EXPECT_THAT(names_of(load(tar.bytes(), "64")), ElementsAre("w"));
}

}  // namespace
}  // namespace weighbridge::test
