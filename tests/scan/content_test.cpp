#include <gtest/gtest.h>

#include "scan/support.hpp"

namespace weighbridge::scan_test {
namespace {

std::string safetensors(std::string_view header, std::string_view data = "") {
  return test::le64(header.size()) + std::string(header) + std::string(data);
}

TEST(ScanContent, SafetensorsHoldNoCode) {
  const ScanReport report = scan_bytes(safetensors("{}"), "model.safetensors");
  EXPECT_EQ(report.verdict, Verdict::Clean);
  EXPECT_EQ(report.format, "safetensors");
}

TEST(ScanContent, AWrongSafetensorsHeaderIsMalformed) {
  const ScanReport report = scan_bytes(
      safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234"), "model.safetensors");
  EXPECT_EQ(report.verdict, Verdict::Malformed);
  EXPECT_NE(find_finding(report, "TensorInvalidInfo"), nullptr);
}

TEST(ScanContent, OtherFilesAreNoCheckpoints) {
  for (const char* text : {"", "\x89PNG\r\n\x1a\n", "{\"a\": 1}", "<html></html>", "plain text",
                           "\x7f"
                           "ELF"}) {
    const ScanReport report = scan_bytes(text, "model.bin");
    EXPECT_EQ(report.verdict, Verdict::NotCheckpoint) << text;
    EXPECT_NE(find_finding(report, "NotCheckpoint"), nullptr) << text;
    EXPECT_EQ(report.format, "") << text;
  }
}

TEST(ScanContent, TheReportSaysWhatWasScanned) {
  const ScanReport report = scan_bytes(harmless().bytes(), "some name");
  EXPECT_EQ(report.name, "some name");
  EXPECT_EQ(report.bytes, harmless().size());
}

TEST(ScanContent, VerdictsHaveNamesThatAreFoundAgain) {
  for (const Verdict verdict :
       {Verdict::Clean, Verdict::NotCheckpoint, Verdict::Unknown, Verdict::Malformed, Verdict::Dangerous}) {
    EXPECT_EQ(find_verdict(verdict_name(verdict)), verdict);
  }
  EXPECT_EQ(find_verdict("fine"), std::nullopt);
}

class Unreadable final : public ByteSource {
 public:
  [[nodiscard]] std::uint64_t size() const override { return 100; }
  void read_at(std::uint64_t, std::span<std::byte>) const override {
    throw Error::from_errno(5, "read", "file");
  }
};

TEST(ScanContent, AFileThatCannotBeReadIsAnErrorAndNoVerdict) {
  EXPECT_THROW(scan(std::make_shared<Unreadable>()), Error);
}

}  // namespace
}  // namespace weighbridge::scan_test
