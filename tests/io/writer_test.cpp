#include <csignal>
#include <numeric>
#include <random>
#include <thread>

#include <weighbridge/safetensors_file.hpp>
#include <weighbridge/writer.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/support.hpp"

namespace weighbridge {
namespace {

using namespace weighbridge::test;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

const std::vector<TensorSpec> kSpecs = {
    {"b", DType::F32, {2, 3}}, {"a", DType::U8, {5}}, {"empty", DType::I64, {0, 4}}, {"s", DType::F64, {}}};

/// The file that save_tensors makes of the same tensors.
std::string expected_file(const std::vector<TensorSpec>& specs, const std::vector<std::string>& contents,
                          const std::optional<Metadata>& metadata = std::nullopt) {
  const TempFolder folder;
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    views.push_back({specs[i].name, specs[i].dtype, specs[i].shape, bytes_of(contents[i])});
  }
  save_tensors(views, folder / "f", metadata);
  return get_file(folder / "f");
}

TEST(SafetensorsWriter, WritesTheSameFileInAnyOrder) {
  const TempFolder folder;
  const std::vector<std::string> contents = {pattern(24, 1), pattern(5, 2), "", pattern(8, 3)};
  const Metadata metadata = {{"format", "pt"}};
  std::vector<std::size_t> order = {0, 1, 3};
  do {
    SafetensorsWriter writer(folder / "f", kSpecs, metadata, {}, {.overwrite = true});
    EXPECT_EQ(writer.missing_bytes(), 37U);
    for (const std::size_t i : order) writer.write(kSpecs[i].name, bytes_of(contents[i]));
    EXPECT_EQ(writer.missing_bytes(), 0U);
    const std::string file = expected_file(kSpecs, contents, metadata);
    EXPECT_EQ(writer.finish().bytes_written, file.size());
    EXPECT_EQ(get_file(folder / "f"), file);
  } while (std::ranges::next_permutation(order).found);
}

TEST(SafetensorsWriter, TakesTensorsInPartsFromManyThreads) {
  const TempFolder folder;
  std::vector<TensorSpec> specs;
  std::vector<std::string> contents;
  for (std::size_t i = 0; i < 6; ++i) {
    specs.push_back({"t" + std::to_string(i), DType::U8, {100'003 + i}});
    contents.push_back(pattern(100'003 + i, i));
  }
  SafetensorsWriter writer(folder / "f", specs);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < specs.size(); ++i) {
          const std::size_t begin = contents[i].size() * t / 4;
          const std::size_t end = contents[i].size() * (t + 1) / 4;
          for (std::size_t at = begin; at < end; at += 1000) {
            const std::size_t size = std::min<std::size_t>(1000, end - at);
            writer.write_part(specs[i].name, at, bytes_of(contents[i]).subspan(at, size));
          }
        }
      });
    }
  }
  writer.finish();
  EXPECT_EQ(get_file(folder / "f"), expected_file(specs, contents));
}

TEST(SafetensorsWriter, OfTwoThreadsThatWriteTheSameOnlyOneMay) {
  const TempFolder folder;
  const std::vector<TensorSpec> specs = {{"a", DType::U8, {1000}}};
  SafetensorsWriter writer(folder / "f", specs);
  const std::string content = pattern(1000);
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        for (std::size_t at = 0; at < 1000; ++at) {
          try {
            writer.write_part("a", at, bytes_of(content).subspan(at, 1));
          } catch (const Error& error) {
            refused += error.code() == ErrorCode::InvalidArgument ? 1 : 1000;
          }
        }
      });
    }
  }
  EXPECT_EQ(refused, 1000);
  writer.finish();
  EXPECT_EQ(read_header(*open_file(folder / "f")).size(), 1U);
}

TEST(SafetensorsWriter, SaysWhichBytesAreMissing) {
  const TempFolder folder;
  SafetensorsWriter writer(folder / "f", kSpecs);
  writer.write("s", bytes_of(pattern(8)));
  writer.write_part("b", 0, bytes_of(pattern(4)));
  writer.write_part("b", 20, bytes_of(pattern(4)));
  expect_error(ErrorCode::InvalidArgument, "tensor 'b': bytes [4, 20) of 24 were not written",
               [&] { writer.finish(); });
  EXPECT_EQ(folder.entries(), 0U);
  writer.write_part("b", 4, bytes_of(pattern(16)));
  expect_error(ErrorCode::InvalidArgument, "tensor 'a': bytes [0, 5) of 5 were not written",
               [&] { writer.finish(); });
  writer.write("a", bytes_of(pattern(5)));
  writer.finish();
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(SafetensorsWriter, RefusesWhatWasNotDeclared) {
  const TempFolder folder;
  SafetensorsWriter writer(folder / "f", kSpecs);
  expect_error(ErrorCode::TensorNotFound, "no tensor 'x' was declared",
               [&] { writer.write("x", bytes_of("12345")); });
  expect_error(ErrorCode::TensorInvalidInfo, "tensor 'a': 4 bytes were given, 5 are declared",
               [&] { writer.write("a", bytes_of("1234")); });
  expect_error(ErrorCode::TensorInvalidInfo, "tensor 'a': 3 bytes at 3 leave its 5 bytes",
               [&] { writer.write_part("a", 3, bytes_of("123")); });
  expect_error(ErrorCode::TensorInvalidInfo, "leave its 5 bytes",
               [&] { writer.write_part("a", UINT64_MAX, bytes_of("1")); });
  EXPECT_EQ(writer.missing_bytes(), 37U);
}

TEST(SafetensorsWriter, RefusesWhatWasWrittenBefore) {
  const TempFolder folder;
  SafetensorsWriter writer(folder / "f", kSpecs);
  writer.write("a", bytes_of("12345"));
  expect_error(ErrorCode::InvalidArgument, "tensor 'a': some of bytes [4, 5) were written before",
               [&] { writer.write_part("a", 4, bytes_of("x")); });
  writer.write("b", bytes_of(pattern(24)));
  writer.write("s", bytes_of(pattern(8)));
  writer.finish();
  expect_error(ErrorCode::InvalidArgument, "finished", [&] { writer.write("a", bytes_of("12345")); });
  expect_error(ErrorCode::InvalidArgument, "finished", [&] { writer.finish(); });
  const SafetensorsFile file = SafetensorsFile::open(folder / "f");
  EXPECT_EQ(text_of(file.view("a").bytes), "12345");
}

TEST(SafetensorsWriter, LeavesNothingUnfinishedAndTheOldFileInItsPlace) {
  const TempFolder folder;
  put_file(folder / "f", "old");
  {
    SafetensorsWriter writer(folder / "f", kSpecs, std::nullopt, {}, {.overwrite = true});
    writer.write("a", bytes_of("12345"));
    EXPECT_EQ(get_file(folder / "f"), "old");
  }
  EXPECT_EQ(get_file(folder / "f"), "old");
  EXPECT_EQ(folder.entries(), 1U);
  expect_error(ErrorCode::OutputExists, "exists", [&] { SafetensorsWriter(folder / "f", kSpecs); });
}

TEST(SafetensorsWriter, AFailedWriteNeverBecomesAFile) {
  const TempFolder folder;
  const std::vector<TensorSpec> specs = {{"a", DType::U8, {std::uint64_t{1} << 20}}};
  std::atomic<bool> cancel = false;
  WriteOptions options;
  options.cancel = &cancel;
  SafetensorsWriter writer(folder / "f", specs, std::nullopt, {}, options);
  const std::string content = pattern(1 << 20);
  cancel = true;
  expect_error(ErrorCode::Cancelled, "cancelled", [&] { writer.write("a", bytes_of(content)); });
  cancel = false;
  expect_error(ErrorCode::InvalidArgument, "a write has failed", [&] { writer.finish(); });
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(SafetensorsWriter, AnEmptyFileNeedsNoWrite) {
  const TempFolder folder;
  SafetensorsWriter writer(folder / "f", {}, Metadata{{"k", "v"}}, {.alignment = 64});
  writer.finish();
  EXPECT_EQ(get_file(folder / "f").size(), 64U);
  EXPECT_EQ(read_header(*open_file(folder / "f")).metadata(), (Metadata{{"k", "v"}}));
}

}  // namespace
}  // namespace weighbridge
