#include <map>

#include <weighbridge/header.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/onnx/external.hpp"
#include "support/onnx_builder.hpp"
#include "support/temp_folder.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using onnx::judge_location;
using onnx::LocationFault;
using testing::HasSubstr;
using Entries = std::vector<std::pair<std::string, std::string>>;

TEST(OnnxLocation, IsAPlainNameInTheFolderOfTheModel) {
  EXPECT_EQ(judge_location("model.data"), LocationFault::None);
  EXPECT_EQ(judge_location("./model.data"), LocationFault::None);
  EXPECT_EQ(judge_location("..data"), LocationFault::None);
  EXPECT_EQ(judge_location("weights/model.data"), LocationFault::Subfolder);
  EXPECT_EQ(judge_location(""), LocationFault::Empty);
  EXPECT_EQ(judge_location("."), LocationFault::Empty);
  EXPECT_EQ(judge_location(std::string("a\0b", 3)), LocationFault::Empty);
}

TEST(OnnxLocation, MayNotLeaveTheFolder) {
  for (const std::string_view location :
       {"../model.data", "/etc/passwd", "a/../../b", "./../b", "..", "..\\model.data", "a\\..\\..\\b",
        "C:\\data", "C:data", "\\\\host\\share", "file:///etc/passwd", "https://host/data", ".//etc/../.."}) {
    EXPECT_EQ(judge_location(location), LocationFault::Escapes) << location;
  }
}

TEST(OnnxLocation, MayNotBeAnAddressInMemory) {
  EXPECT_EQ(judge_location("*/_ORT_MEM_ADDR_/*"), LocationFault::Memory);
  EXPECT_EQ(judge_location("/_ORT_MEM_ADDR_/../x"), LocationFault::Memory);
}

/// A U8 tensor "w" of 4 elements with these entries of external_data.
std::string external_model(const Entries& entries) {
  Proto tensor;
  tensor.number(1, 4).number(2, 2).bytes(8, "w").number(14, 1);
  for (const auto& [key, value] : entries) tensor.bytes(13, Proto().bytes(1, key).bytes(2, value));
  return onnx_model(onnx_graph(std::string(tensor)));
}

Checkpoint read(const Entries& entries, const TempFolder& folder) {
  OpenOptions options;
  options.folder = open_input_folder(folder.path());
  return read_checkpoint(source_of(external_model(entries)), options);
}

std::string refusal(const Entries& entries, const TempFolder& folder) {
  return error_of([&] { read(entries, folder); }).what();
}

TEST(OnnxExternal, FindsTheBytesBesideTheModel) {
  const TempFolder folder;
  put_file(folder / "data", "..abcd..");
  const Checkpoint checkpoint = read({{"location", "data"}, {"offset", "2"}, {"length", "4"}}, folder);
  EXPECT_EQ(checkpoint.tensors.at(0).data.offset, 2U);
  EXPECT_TRUE(checkpoint.findings.empty());
  EXPECT_GT(checkpoint.source_bytes, 8U);
  EXPECT_EQ(read({{"location", "./data"}}, folder).tensors.at(0).data.offset, 0U);
  EXPECT_EQ(read({{"location", "data"}, {"length", "0"}}, folder).tensors.size(), 1U);
}

TEST(OnnxExternal, RefusesLocationsThatAreNone) {
  const TempFolder folder;
  put_file(folder / "data", "abcd");
  EXPECT_THAT(refusal({{"location", "../data"}}, folder), HasSubstr("leads out of the folder of the model"));
  EXPECT_THAT(refusal({{"location", "*/_ORT_MEM_ADDR_/*"}}, folder), HasSubstr("an address in the memory"));
  EXPECT_THAT(refusal({}, folder), HasSubstr("is not the name of a file"));
  EXPECT_THAT(refusal({{"location", "sub/data"}}, folder), HasSubstr("put the file beside the model"));
  EXPECT_THAT(refusal({{"location", "gone"}}, folder),
              HasSubstr("its data is in 'gone', which is not beside the model"));
}

TEST(OnnxExternal, RefusesRangesThatDoNotFit) {
  const TempFolder folder;
  put_file(folder / "data", "abcdef");
  EXPECT_THAT(refusal({{"location", "data"}, {"offset", "3"}}, folder),
              HasSubstr("reach beyond the 6 bytes of 'data'"));
  EXPECT_THAT(refusal({{"location", "data"}, {"offset", "18446744073709551615"}}, folder),
              HasSubstr("reach beyond"));
  EXPECT_THAT(refusal({{"location", "data"}, {"length", "5"}}, folder),
              HasSubstr("has 5 bytes for it, its shape [4] needs 4"));
  for (const char* number : {"-1", "", "1e3", " 1", "0x10", "18446744073709551616"}) {
    EXPECT_THAT(refusal({{"location", "data"}, {"offset", number}}, folder), HasSubstr("no number of bytes"))
        << number;
  }
}

TEST(OnnxExternal, RefusesAKeyThatIsThereTwice) {
  const TempFolder folder;
  put_file(folder / "data", "abcd");
  EXPECT_THAT(refusal({{"location", "data"}, {"location", "data"}}, folder),
              HasSubstr("external_data has its location twice"));
}

TEST(OnnxExternal, FollowsNoLinks) {
  const TempFolder folder;
  const TempFolder outside;
  put_file(outside / "secret", "abcd");
  std::filesystem::create_symlink(outside / "secret", folder / "data");
  const Error error = error_of([&] { read({{"location", "data"}}, folder); });
  EXPECT_EQ(error.code(), ErrorCode::IoError);
  EXPECT_THAT(error.what(), HasSubstr("'data', which is a symbolic link and not followed"));
}

TEST(OnnxExternal, RefusesWhatIsNoRegularFile) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "data");
  EXPECT_EQ(error_of([&] { read({{"location", "data"}}, folder); }).code(), ErrorCode::IoError);
}

TEST(OnnxExternal, OpensNothingWithoutAFolder) {
  EXPECT_EQ(error_of([] { read_checkpoint(source_of(external_model({{"location", "data"}}))); }).code(),
            ErrorCode::Unsupported);
}

TEST(OnnxExternal, DoesNotTrustTheBasePathOfSomebodyElse) {
  const TempFolder folder;
  put_file(folder / "data", "abcd");
  const Checkpoint checkpoint = read({{"location", "data"}, {"basepath", "/etc"}}, folder);
  ASSERT_EQ(checkpoint.findings.size(), 1U);
  EXPECT_EQ(checkpoint.findings[0].code, "ExternalDataKeys");
}

TEST(OnnxExternal, SaysThatChecksumsAreNotChecked) {
  const TempFolder folder;
  put_file(folder / "data", "abcd");
  EXPECT_EQ(read({{"location", "data"}, {"checksum", "00"}}, folder).findings.at(0).code,
            "ChecksumNotChecked");
}

TEST(OnnxExternal, IgnoresEntriesOfATensorWhoseDataIsInside) {
  const std::string tensor = onnx_tensor("w", 2, 1, "a") +
                             std::string(Proto().bytes(13, Proto().bytes(1, "location").bytes(2, "/x")));
  EXPECT_EQ(read_checkpoint(source_of(onnx_model(onnx_graph(tensor)))).tensors.size(), 1U);
}

TEST(OnnxExternal, NoticesThatASafetensorsFileWasEdited) {
  const TempFolder folder;
  const std::vector<TensorSpec> specs = {{.name = "w", .dtype = DType::U8, .shape = {4}}};
  const std::string header = serialize_header(specs).bytes;
  put_file(folder / "m.safetensors", header + "abcd");
  const std::string there = std::to_string(header.size());
  EXPECT_TRUE(read({{"location", "m.safetensors"}, {"offset", there}}, folder).findings.empty());
  const Checkpoint moved = read({{"location", "m.safetensors"}, {"offset", "8"}}, folder);
  ASSERT_EQ(moved.findings.size(), 1U);
  EXPECT_EQ(moved.findings[0].code, "ExternalDataMoved");
  EXPECT_EQ(moved.findings[0].severity, Severity::Error);
}

}  // namespace
}  // namespace weighbridge::test
