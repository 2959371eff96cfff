#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// data.pkl with one float in storage '0', below `root`; the caller adds records.
ZipBuilder archive(const std::string& root, const std::string& byteorder = "",
                   const std::string& version = "3\n") {
  ZipBuilder zip;
  zip.add(root + "data.pkl", py::pickle(py::dict({{py::text("w"), py::one_float()}})));
  if (!byteorder.empty()) zip.add(root + "byteorder", byteorder);
  zip.add(root + "data/0", floats(1));
  if (!version.empty()) zip.add(root + "version", version);
  return zip;
}

Error refusal(const ZipBuilder& zip) {
  return error_of([&] { load(zip); });
}

TEST(TorchZip, IsReadWithAndWithoutATopFolder) {
  EXPECT_EQ(load(archive("any name/")).tensors.size(), 1U);
  EXPECT_EQ(load(archive("")).tensors.size(), 1U);
}

TEST(TorchZip, SaysWhatItIsAndWhatItLooksLikeElsewhere) {
  const Checkpoint checkpoint = load(archive("a/"));
  EXPECT_EQ(checkpoint.format, "torch-zip");
  EXPECT_EQ(checkpoint.metadata, (Metadata{{"format", "pt"}}));
  EXPECT_EQ(checkpoint.source_bytes, archive("a/").bytes().size());
}

TEST(TorchZip, WithTwoTopFoldersIsRefused) {
  ZipBuilder zip = archive("base/");
  zip.add("evil/data.pkl", py::pickle(py::none()));
  EXPECT_EQ(refusal(zip).code(), ErrorCode::MalformedArchive);
}

TEST(TorchZip, ReadsDeflatedEntries) {
  ZipBuilder zip;
  zip.add_deflated("a/data.pkl", py::pickle(py::one_float()));
  zip.add_deflated("a/data/0", floats(1));
  EXPECT_EQ(content_of(load(zip).tensors[0]), floats(1));
}

TEST(TorchZip, SwapsBytesOfBigEndianFiles) {
  EXPECT_EQ(load(archive("a/", "big")).tensors[0].data.transform, Transform::Swap4);
  EXPECT_EQ(load(archive("a/", "little")).tensors[0].data.transform, Transform::None);
  EXPECT_THAT(refusal(archive("a/", "pdp")).what(), HasSubstr("'pdp'"));
}

TEST(TorchZip, ReadsVersions1To10) {
  EXPECT_EQ(load(archive("a/", "", "10")).tensors.size(), 1U);
  for (const char* version : {"0", "11", "99", "x", "3 4"}) {
    EXPECT_EQ(refusal(archive("a/", "", version)).code(), ErrorCode::MalformedCheckpoint) << version;
  }
  EXPECT_THAT(codes_of(load(archive("a/", "", ""))), Contains("MissingVersion"));
}

TEST(TorchZip, WithAWrongChecksumIsAWarning) {
  ZipBuilder zip;
  auto& entry = zip.add("a/data.pkl", py::pickle(py::one_float()));
  entry.central.crc32 = 0x12345678;
  entry.local.crc32 = 0x12345678;
  zip.add("a/data/0", floats(1));
  const Checkpoint checkpoint = load(zip);
  EXPECT_EQ(checkpoint.tensors.size(), 1U);
  EXPECT_THAT(codes_of(checkpoint), Contains("CrcMismatch"));
}

TEST(TorchZip, WithConstantsIsTorchScript) {
  ZipBuilder zip;
  const py::Value attributes =
      py::dict({{py::text("training"), py::boolean(true)}, {py::text("w"), py::one_float()}});
  zip.add("m/data.pkl", py::pickle(py::build(py::object(py::global("__torch__", "Model")), attributes)));
  zip.add("m/constants.pkl", py::pickle(py::tuple({})));
  zip.add("m/data/0", floats(1));
  const Checkpoint checkpoint = load_found(zip.bytes());
  EXPECT_EQ(checkpoint.format, "torchscript");
  EXPECT_THAT(names_of(checkpoint), ::testing::ElementsAre("w"));
}

TEST(TorchZip, OfAnotherKindIsNamed) {
  const auto message = [](const std::string& entry) {
    ZipBuilder zip;
    zip.add(entry, "x");
    return std::string(refusal(zip).what());
  };
  EXPECT_EQ(message("model.weights.h5"), "not yet supported: Keras archives without config.json");
  EXPECT_THAT(message("readme.txt"), HasSubstr("without data.pkl"));
}

TEST(TorchZip, ThatBreaksOffBehindDangerousCodeNamesBoth) {
  ZipBuilder zip;
  zip.add("a/data.pkl", "\x80\x02" + py::call(py::global("os", "system"), {py::text("true")}) + "\xFF");
  const Error error = refusal(zip);
  EXPECT_EQ(error.code(), ErrorCode::DangerousContent);
  EXPECT_THAT(error.subject(), HasSubstr("system"));
  EXPECT_THAT(error.what(), HasSubstr("besides"));
}

}  // namespace
}  // namespace weighbridge::test
