#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <weighbridge/load.hpp>

#include <gtest/gtest.h>

#include "io/support.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

constexpr std::size_t kRow = 40'000;
constexpr std::size_t kRows = 1'000;

void write_in_pieces(const std::filesystem::path& path, const std::string& content, std::size_t bytes) {
  std::ofstream out(path, std::ios::binary);
  for (std::size_t at = 0; at < content.size(); at += bytes)
    out.write(content.data() + at, static_cast<std::streamsize>(std::min(bytes, content.size() - at)))
        .flush();
}

// The page cache holds what is written in small pieces in small pieces, which are slow to map: rows of 4 KiB
// and more are read then.
TEST(LoadColumns, AreTheSameHoweverTheFileWasWritten) {
  const TempFolder folder;
  const std::string content = pattern(kRows * kRow);
  for (const std::size_t written : {std::size_t{4096}, content.size()}) {
    write_in_pieces(folder / "f", content, written);
    const SourcePtr source = open_file(folder / "f");
    for (const std::size_t width : {10'000UL, 3'000UL, 40UL}) {
      std::string expected;
      for (std::size_t row = 0; row < kRows; ++row) expected += content.substr(row * kRow + 123, width);
      for (const unsigned threads : {1U, 2U}) {
        std::vector<std::byte> memory(expected.size());
        const LoadStep step{.source = source, .runs = strided(123, width, {{kRows, kRow}}), .out = memory};
        load_into(std::span(&step, 1), {.mode = LoadMode::View, .threads = threads, .large_pages = true});
        EXPECT_TRUE(text_of(memory) == expected) << written << " " << width << " " << threads;
      }
    }
  }
}

}  // namespace
}  // namespace weighbridge
