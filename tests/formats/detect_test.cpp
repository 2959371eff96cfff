#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::string& content) {
  return error_of([&] { read_checkpoint(source_of(content)); }).what();
}

ErrorCode code(const std::string& content) {
  return error_of([&] { read_checkpoint(source_of(content)); }).code();
}

TEST(Detect, NamesFormatsThatAreReadLater) {
  EXPECT_EQ(refusal("PYTORCH1...."), "not yet supported: containers of PyTorch 1.0 release candidates");
}

TEST(Detect, NamesWhatIsNoCheckpoint) {
  EXPECT_THAT(refusal("7z\xBC\xAF\x27\x1C"), HasSubstr("7z"));
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git-lfs pointer"));
  EXPECT_THAT(refusal("<!DOCTYPE html>"), HasSubstr("HTML"));
  EXPECT_THAT(refusal("PK\x03\x04 and no end"), HasSubstr("end is missing"));
  EXPECT_EQ(code("7z\xBC\xAF\x27\x1C"), ErrorCode::UnknownFormat);
}

TEST(Detect, NamesTheFormatWithoutReadingIt) {
  EXPECT_EQ(find_format(*source_of(le64(2) + "{}")), "safetensors");
  EXPECT_EQ(find_format(*source_of(le64(2) + "{!")), "safetensors");  // broken, and told all the same
  EXPECT_EQ(find_format(*source_of("(lp0\nI1\na.")), "pickle");
  EXPECT_EQ(find_format(*source_of("GGUF")), "gguf");
  EXPECT_EQ(find_format(*source_of("plain text")), std::nullopt);
}

TEST(Detect, SaysThatAFileIsEmpty) { EXPECT_EQ(refusal(""), "the file is empty"); }

TEST(Detect, ShowsTheFirstBytesOfTheUnknown) {
  EXPECT_THAT(refusal(std::string("\x01\x02\x03", 3)), HasSubstr("01 02 03"));
  EXPECT_EQ(code("\x01\x02\x03"), ErrorCode::UnknownFormat);
}

TEST(Detect, DoesNotTakeTextForAPickle) {
  EXPECT_EQ(code("I am a text, not a model\n"), ErrorCode::UnknownFormat);
  EXPECT_EQ(code("Nothing here"), ErrorCode::UnknownFormat);
}

TEST(Detect, TakesPicklesOfProtocol0) {
  EXPECT_EQ(read_checkpoint(source_of("(lp0\nI1\na.")).format, "pickle");
}

TEST(Detect, PrefersSafetensorsWhoseLengthLooksLikeAnotherMagicNumber) {
  std::string header = R"({"__metadata__":{"a":")";
  header.append(0x9C78 - header.size() - 3, 'x');
  header += R"("}})";
  EXPECT_EQ(read_checkpoint(source_of(le64(header.size()) + header)).format, "safetensors");
}

TEST(Detect, RefusesFolders) {
  const Error error = error_of([] { open_checkpoint(std::filesystem::temp_directory_path()); });
  EXPECT_THAT(error.what(), HasSubstr("is a folder"));
}

}  // namespace
}  // namespace weighbridge::test
