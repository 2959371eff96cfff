// Every file of the fixtures and its verdict, as a table; skipped where the fixtures are absent.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <weighbridge/scan.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weighbridge {
namespace {

namespace fs = std::filesystem;

struct Row {
  std::string file;
  ScanReport report;
};

std::vector<Row> scan_folder(std::string_view folder) {
  std::vector<Row> rows;
  const fs::path root = fs::path(WEIGHBRIDGE_FIXTURES) / folder;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().lexically_relative(root).string();
    rows.push_back({name, scan(open_file(entry.path()), {.name = name})});
  }
  std::ranges::sort(rows, {}, &Row::file);
  return rows;
}

/// What made the verdict, in a few words.
std::string reason_of(const ScanReport& report) {
  for (const ScannedGlobal& global : report.globals) {
    if (global.verdict == report.verdict && report.verdict != Verdict::Clean) {
      return fmt::format("{}.{}", global.module, global.name);
    }
  }
  for (const ScanFinding& finding : report.findings) {
    if (finding.verdict == report.verdict && report.verdict != Verdict::Clean) return finding.code;
  }
  return "";
}

void print_table(std::string_view folder, const std::vector<Row>& rows) {
  std::map<Verdict, int> counts;
  for (const Row& row : rows) {
    ++counts[row.report.verdict];
    fmt::print("{}/{:<90} {:<16} {:<14} {}\n", folder, row.file, verdict_name(row.report.verdict),
               row.report.format, reason_of(row.report));
  }
  for (const auto& [verdict, count] : counts) fmt::print("{}: {} {}\n", folder, count, verdict_name(verdict));
}

class ScanFixtures : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(WEIGHBRIDGE_FIXTURES) / "malicious")) GTEST_SKIP() << "no fixtures given";
  }
};

TEST_F(ScanFixtures, EveryAttackIsDangerousOrMalformed) {
  const auto rows = scan_folder("malicious");
  print_table("malicious", rows);
  EXPECT_GT(rows.size(), 60U);
  for (const Row& row : rows) EXPECT_GE(row.report.verdict, Verdict::Malformed) << row.file;
}

TEST_F(ScanFixtures, NoHarmlessFileIsDangerous) {
  for (const char* folder : {"generated", "real", "lookalike"}) {
    const auto rows = scan_folder(folder);
    print_table(folder, rows);
    EXPECT_FALSE(rows.empty());
    for (const Row& row : rows) EXPECT_LT(row.report.verdict, Verdict::Malformed) << row.file;
  }
}

}  // namespace
}  // namespace weighbridge
