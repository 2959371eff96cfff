#include <gtest/gtest.h>

#include "scan/support.hpp"
#include "support/gguf_builder.hpp"

namespace weighbridge::scan_test {
namespace {

using namespace std::string_literals;

TEST(ScanGguf, HoldsNoCode) {
  test::GgufBuilder file;
  file.tensor("w", {1}, 0, "1234");
  const ScanReport report = scan_bytes(file.bytes(), "model.gguf");
  EXPECT_EQ(report.verdict, Verdict::Clean);
  EXPECT_EQ(report.format, "gguf");
}

TEST(ScanGguf, WhatEndsTooSoonIsMalformed) {
  EXPECT_EQ(scan_bytes("GGUF", "model.gguf").verdict, Verdict::Malformed);
}

TEST(ScanGguf, APickleThatBeginsWithItsMagicIsAPickle) {
  // G and eight bytes are a number, 0 drops it.
  const ScanReport report = scan_bytes(
      "GGUF\3\0\0\0\0"
      "0"s +
          attack().bytes(),
      "model.gguf");
  EXPECT_EQ(report.verdict, Verdict::Dangerous);
  EXPECT_NE(find_global(report, "system"), nullptr);
}

}  // namespace
}  // namespace weighbridge::scan_test
