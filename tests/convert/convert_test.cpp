// From a file to a file, with inputs small enough to be seen whole.
#include <array>

#include <weighbridge/convert.hpp>
#include <weighbridge/safetensors_file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temp_folder.hpp"

namespace weighbridge {
namespace {

using test::get_file;
using test::put_file;
using test::TempFolder;
using testing::HasSubstr;
using testing::StartsWith;

Error error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, "nothing was thrown"};
}

// pickle.dumps([os.system, 1]) by hand, protocol 0.
constexpr const char* kNamesOsSystem = "(lp0\ncos\nsystem\np1\naI1\na.";

constexpr std::array<float, 6> kWeights = {0, 1, 2, 3, 4, 5};
constexpr std::array<std::uint64_t, 2> kShape = {2, 3};

TensorView weights(std::string_view name) {
  return {.name = name, .dtype = DType::F32, .shape = kShape, .bytes = std::as_bytes(std::span(kWeights))};
}

TEST(SaveTensors, WritesAFileThatReadsBack) {
  const TempFolder dir;
  const std::array views = {weights("b"), weights("a")};
  const WriteReport report = save_tensors(views, dir / "out.safetensors", Metadata{{"format", "pt"}});
  EXPECT_TRUE(report.verified);
  const SafetensorsFile file = SafetensorsFile::open(dir / "out.safetensors");
  ASSERT_EQ(file.header().size(), 2U);
  EXPECT_EQ(file.header()[0].name, "a");
  EXPECT_EQ(file.header().metadata().at("format"), "pt");
  EXPECT_TRUE(std::ranges::equal(file.view("b").bytes, std::as_bytes(std::span(kWeights))));
}

TEST(SaveTensors, RefusesBytesThatDoNotFitTheShape) {
  const TempFolder dir;
  TensorView view = weights("w");
  view.bytes = view.bytes.first(20);
  const Error error = error_of([&] { save_tensors({&view, 1}, dir / "out.safetensors"); });
  EXPECT_EQ(error.code(), ErrorCode::TensorInvalidInfo);
  EXPECT_STREQ(error.what(), "tensor 'w': 20 bytes were given, F32 [2, 3] needs 24");
  EXPECT_EQ(dir.entries(), 0U);
}

TEST(Convert, OfASafetensorsFileGivesTheSameBytes) {
  const TempFolder dir;
  const TensorView view = weights("w");
  save_tensors({&view, 1}, dir / "in.safetensors", Metadata{{"a", "1"}, {"b", "2"}});
  convert(dir / "in.safetensors", dir / "out.safetensors");
  EXPECT_EQ(get_file(dir / "in.safetensors"), get_file(dir / "out.safetensors"));
}

TEST(Convert, AlignsTheDataSection) {
  const TempFolder dir;
  const TensorView view = weights("w");
  save_tensors({&view, 1}, dir / "in.safetensors");
  ConvertOptions options;
  options.style.alignment = 4096;
  convert(dir / "in.safetensors", dir / "out.safetensors", options);
  const SafetensorsFile file = SafetensorsFile::open(dir / "out.safetensors");
  EXPECT_EQ(file.header().data_begin(), 4096U);
}

TEST(Convert, RefusesAnExistingOutputBeforeItLooksAtTheInput) {
  const TempFolder dir;
  put_file(dir / "out.safetensors", "precious");
  const Error error = error_of([&] { convert(dir / "missing.pt", dir / "out.safetensors"); });
  EXPECT_EQ(error.code(), ErrorCode::OutputExists);
  EXPECT_EQ(get_file(dir / "out.safetensors"), "precious");
}

TEST(Convert, LeavesAnOldOutputAloneWhenTheInputIsBad) {
  const TempFolder dir;
  put_file(dir / "in.pt", "this is no checkpoint");
  put_file(dir / "out.safetensors", "precious");
  ConvertOptions options;
  options.write.overwrite = true;
  const Error error = error_of([&] { convert(dir / "in.pt", dir / "out.safetensors", options); });
  EXPECT_EQ(error_class(error.code()), ErrorClass::BadInput);
  EXPECT_EQ(get_file(dir / "out.safetensors"), "precious");
  EXPECT_EQ(dir.entries(), 2U);
}

TEST(Convert, ReplacesItsOwnInput) {
  const TempFolder dir;
  const TensorView view = weights("w");
  save_tensors({&view, 1}, dir / "model.safetensors");
  const std::string before = get_file(dir / "model.safetensors");
  ConvertOptions options;
  options.write.overwrite = true;
  convert(dir / "model.safetensors", dir / "model.safetensors", options);
  EXPECT_EQ(get_file(dir / "model.safetensors"), before);
}

TEST(Convert, RefusesDangerousContentAndNamesIt) {
  const TempFolder dir;
  put_file(dir / "in.pkl", kNamesOsSystem);
  const Error error = error_of([&] { convert(dir / "in.pkl", dir / "out.safetensors"); });
  EXPECT_EQ(error.code(), ErrorCode::DangerousContent);
  EXPECT_EQ(error.subject(), "os.system");
  EXPECT_EQ(error.offset(), 5U);
  EXPECT_THAT(error.what(), HasSubstr("os.system"));
  EXPECT_EQ(dir.entries(), 1U);
}

TEST(RefuseDangerous, NamesTheFirstAndCountsTheRest) {
  const Finding harmless{.severity = Severity::Info, .code = "UnknownGlobal", .message = "a.b"};
  const Finding first{
      .severity = Severity::Danger, .message = "os.system runs programs", .subject = "os.system"};
  const Finding second{.severity = Severity::Danger, .message = "builtins.eval"};
  EXPECT_NO_THROW(refuse_dangerous({harmless}));
  const Error error = error_of([&] { refuse_dangerous({harmless, first, second}); });
  EXPECT_EQ(error.code(), ErrorCode::DangerousContent);
  EXPECT_EQ(error.subject(), "os.system");
  EXPECT_STREQ(error.what(),
               "refused, nothing was run: os.system runs programs (and 1 more dangerous names)");
}

TEST(Convert, OfDangerousContentOnRequestIsInert) {
  const TempFolder dir;
  put_file(dir / "in.pkl", kNamesOsSystem);
  ConvertOptions options;
  options.allow_dangerous = true;
  options.allow_empty = true;
  const ConvertReport report = convert(dir / "in.pkl", dir / "out.safetensors", options);
  EXPECT_TRUE(std::ranges::any_of(
      report.findings, [](const Finding& finding) { return finding.severity == Severity::Danger; }));
  const SafetensorsFile file = SafetensorsFile::open(dir / "out.safetensors");
  EXPECT_EQ(file.header().size(), 0U);
}

TEST(Convert, SaysWhenThereAreNoTensors) {
  const TempFolder dir;
  put_file(dir / "in.pkl", "(lp0\nI1\na.");
  const Error error = error_of([&] { convert(dir / "in.pkl", dir / "out.safetensors"); });
  EXPECT_EQ(error.code(), ErrorCode::NoTensors);
  EXPECT_THAT(error.what(), StartsWith("no tensors"));
}

TEST(Convert, WritesTheSidecarOnlyWhenAsked) {
  const TempFolder dir;
  put_file(dir / "in.pkl", "(lp0\nI1\na.");
  ConvertOptions options;
  options.allow_empty = true;
  convert(dir / "in.pkl", dir / "a.safetensors", options);
  EXPECT_FALSE(std::filesystem::exists(dir / "a.safetensors.meta.json"));
  options.sidecar = true;
  convert(dir / "in.pkl", dir / "b.safetensors", options);
  EXPECT_EQ(dir.entries(), 4U);
}

TEST(Convert, RefusesAnExistingSidecarBeforeItWritesTensors) {
  const TempFolder dir;
  put_file(dir / "in.pkl", "(lp0\nI1\na.");
  put_file(dir / "out.safetensors.meta.json", "precious");
  ConvertOptions options;
  options.allow_empty = true;
  options.sidecar = true;
  const Error error = error_of([&] { convert(dir / "in.pkl", dir / "out.safetensors", options); });
  EXPECT_EQ(error.code(), ErrorCode::OutputExists);
  EXPECT_FALSE(std::filesystem::exists(dir / "out.safetensors"));
}

TEST(Convert, RefusesAnOutputAboveTheLimit) {
  const TempFolder dir;
  const TensorView view = weights("w");
  save_tensors({&view, 1}, dir / "in.safetensors");
  ConvertOptions options;
  options.open.limits.output_bytes = 50;
  const Error error = error_of([&] { convert(dir / "in.safetensors", dir / "out.safetensors", options); });
  EXPECT_EQ(error.code(), ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace weighbridge
