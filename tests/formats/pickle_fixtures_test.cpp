// Real checkpoints and real attacks, where a folder of them is given.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "formats/pickle/machine.hpp"

namespace weighbridge::pickle {
namespace {

namespace fs = std::filesystem;

std::string read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Attacks on memory that name no code, and a plain list that belongs to a set of several files.
bool names_no_code(std::string_view file) {
  constexpr std::array<std::string_view, 4> kNames = {"._billionLaughs.pt", "._billionLaughsAlt.pkl",
                                                      "._globalLaughs.pt", "data_malicious6.pkl"};
  return std::ranges::any_of(kNames, [&](std::string_view name) { return file.ends_with(name); });
}

// Where the pickle starts: behind the header of an array file, at once otherwise.
std::uint64_t pickle_offset(std::string_view bytes) {
  if (!bytes.starts_with("\x93NUMPY")) return 0;
  return 10U + static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
}

bool is_raw_pickle(std::string_view bytes) { return !bytes.starts_with("PK") && !bytes.starts_with("7z"); }

bool names_danger(const Graph& graph) {
  return std::ranges::any_of(graph.globals(),
                             [](const GlobalUse& use) { return use.verdict == GlobalClass::Dangerous; });
}

fs::path fixtures(std::string_view folder) { return fs::path(WEIGHBRIDGE_FIXTURES) / folder; }

class PickleFixtures : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(fixtures("malicious"))) GTEST_SKIP() << "no fixtures given";
  }
};

TEST_F(PickleFixtures, EveryAttackIsRefusedOrReported) {
  std::size_t attacks = 0;
  for (const auto& entry : fs::directory_iterator(fixtures("malicious"))) {
    const std::string bytes = read_whole(entry.path());
    if (!is_raw_pickle(bytes)) continue;
    const Outcome outcome = run(memory_source(Buffer::take(bytes)), pickle_offset(bytes), {});
    const bool noticed = outcome.failure.has_value() || names_danger(outcome.graph);
    EXPECT_EQ(noticed, !names_no_code(entry.path().filename().string())) << entry.path();
    EXPECT_LT(outcome.graph.size(), 1'000U);
    ++attacks;
  }
  EXPECT_GT(attacks, 50U);
}

TEST_F(PickleFixtures, HarmlessPicklesAreNeverDangerous) {
  std::size_t whole = 0;
  for (const char* folder : {"real", "generated"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fixtures(folder))) {
      if (!entry.is_regular_file()) continue;
      const Outcome outcome = run(memory_source(Buffer::take(read_whole(entry.path()))), 0, {});
      EXPECT_FALSE(names_danger(outcome.graph)) << entry.path();
      whole += outcome.failure ? 0 : 1;
    }
  }
  EXPECT_GT(whole, 10U);
}

}  // namespace
}  // namespace weighbridge::pickle
