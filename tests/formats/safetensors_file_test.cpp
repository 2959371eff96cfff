#include <filesystem>
#include <numeric>
#include <optional>
#include <string>

#include <weighbridge/safetensors_file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/header_dsl.hpp"
#include "support/temp_folder.hpp"

namespace weighbridge {
namespace {

using test::entry;
using test::error_of;
using test::header_of;
using testing::ElementsAre;

// A source that cannot be mapped, and counts what is read of it.
class UnmappedSource final : public ByteSource {
 public:
  explicit UnmappedSource(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    std::ranges::copy(test::bytes_of(bytes_).subspan(offset, out.size()), out.begin());
    ++reads;
    bytes_read += out.size();
  }

  mutable std::size_t reads = 0;
  mutable std::size_t bytes_read = 0;

 private:
  std::string bytes_;
};

// "b" is U8 [4, 6] holding 0 to 23, behind the single byte of "a".
std::string file_bytes() {
  std::string file = test::file_of(header_of({entry("a", "U8", {}, 0, 1), entry("b", "U8", {4, 6}, 1, 25)}));
  file.push_back('\x63');
  std::string values(24, '\0');
  std::iota(values.begin(), values.end(), '\0');
  return file + values;
}

SafetensorsFile mapped() { return SafetensorsFile::from_source(memory_source(Buffer::take(file_bytes()))); }

SafetensorsFile unmapped() {
  return SafetensorsFile::from_source(std::make_shared<UnmappedSource>(file_bytes()));
}

std::vector<int> numbers(std::span<const std::byte> bytes) {
  std::vector<int> out;
  for (const std::byte byte : bytes) out.push_back(std::to_integer<int>(byte));
  return out;
}

std::vector<int> slice(const SafetensorsFile& file, std::string_view text) {
  const Buffer buffer = file.read_slice("b", parse_slice(text));
  return numbers(buffer.bytes());
}

TEST(SafetensorsFile, ViewsPointIntoTheMapping) {
  const SafetensorsFile file = mapped();
  const TensorView view = file.view("a");
  EXPECT_EQ(view.name, "a");
  EXPECT_EQ(view.dtype, DType::U8);
  EXPECT_TRUE(view.shape.empty());
  EXPECT_THAT(numbers(view.bytes), ElementsAre(0x63));
}

TEST(SafetensorsFile, ViewsLiveAsLongAsACopyOfTheFile) {
  std::optional<SafetensorsFile> first = mapped();
  const std::optional<SafetensorsFile> copy = first;
  const TensorView view = first->view("b");
  first.reset();
  EXPECT_EQ(numbers(view.bytes).back(), 23);
  EXPECT_EQ(copy->view("b").bytes.data(), view.bytes.data());
}

/// Files of one empty tensor each: t0 to t49.
std::vector<std::filesystem::path> make_fifty(const test::TempFolder& folder) {
  std::vector<std::filesystem::path> paths;
  for (int i = 0; i < 50; ++i) {
    paths.push_back(folder / std::to_string(i));
    test::put_file(paths.back(), test::file_of(header_of({entry("t" + std::to_string(i), "U8", {0}, 0, 0)})));
  }
  return paths;
}

TEST(SafetensorsFile, OpensManyInTheirOrder) {
  const test::TempFolder folder;
  const auto paths = make_fifty(folder);
  const auto files = SafetensorsFile::open_all(paths);
  ASSERT_EQ(files.size(), 50U);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(files[i].header()[0].name, "t" + std::to_string(i));
  EXPECT_TRUE(SafetensorsFile::open_all({}).empty());
}

TEST(SafetensorsFile, TheHeaderOfOneOfManyOutlivesTheOthers) {
  const test::TempFolder folder;
  const auto paths = make_fifty(folder);
  std::optional<Header> last;
  {
    const auto files = SafetensorsFile::open_all(paths);
    last = files.back().header();
  }
  ASSERT_EQ(last->size(), 1U);
  EXPECT_EQ(last->name(0), "t49");
  EXPECT_EQ(last->find("t49"), 0U);
}

TEST(SafetensorsFile, OfManyTheFirstThatFailsIsReported) {
  const test::TempFolder folder;
  std::vector<std::filesystem::path> paths;
  for (int i = 0; i < 50; ++i) {
    paths.push_back(folder / std::to_string(i));
    test::put_file(paths.back(), i == 20 ? std::string(3, '0') : file_bytes());
  }
  std::filesystem::remove(paths[40]);
  for (int round = 0; round < 20; ++round) {
    const auto error = error_of([&] { static_cast<void>(SafetensorsFile::open_all(paths)); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::HeaderTooSmall);
  }
}

TEST(SafetensorsFile, BuffersOutliveTheFile) {
  Buffer buffer;
  {
    const SafetensorsFile file = mapped();
    buffer = file.read("b");
  }
  EXPECT_EQ(numbers(buffer.bytes()).back(), 23);
}

TEST(SafetensorsFile, ReadsWithoutAMappingButCannotView) {
  const SafetensorsFile file = unmapped();
  const Buffer buffer = file.read("b");
  EXPECT_EQ(numbers(buffer.bytes())[7], 7);
  const auto error = error_of([&] { static_cast<void>(file.view("b")); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::IoError);
}

TEST(SafetensorsFile, ReadsIntoTheCallersMemoryOfTheRightSize) {
  for (const SafetensorsFile& file : {mapped(), unmapped()}) {
    std::vector<std::byte> out(24);
    file.read_into("b", out);
    EXPECT_EQ(numbers(out)[7], 7);
    const auto error = error_of([&] { file.read_into("b", std::span(out).first(23)); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::InvalidArgument);
  }
}

TEST(SafetensorsFile, NamesTheTensorThatIsMissing) {
  const SafetensorsFile file = mapped();
  const auto error = error_of([&] { static_cast<void>(file.read("c")); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::TensorNotFound);
  EXPECT_EQ(error->subject(), "c");
}

TEST(SafetensorsFile, SlicesAreTheSameMappedOrNot) {
  for (const SafetensorsFile& file : {mapped(), unmapped()}) {
    EXPECT_THAT(slice(file, "1"), ElementsAre(6, 7, 8, 9, 10, 11));
    EXPECT_THAT(slice(file, ":, 0"), ElementsAre(0, 6, 12, 18));
    EXPECT_THAT(slice(file, "::2, 1:6:3"), ElementsAre(1, 4, 13, 16));
    EXPECT_THAT(slice(file, "-1, -2:"), ElementsAre(22, 23));
    EXPECT_TRUE(slice(file, "4:").empty());
    EXPECT_EQ(slice(file, "...").size(), 24U);
  }
}

TEST(SafetensorsFile, ASliceOfAnUnmappedFileTakesFewReads) {
  const auto source = std::make_shared<UnmappedSource>(file_bytes());
  const SafetensorsFile file = SafetensorsFile::from_source(source);
  source->reads = 0;
  slice(file, ":, ::2");
  EXPECT_EQ(source->reads, 1U);
}

TEST(SafetensorsFile, ASliceOfALargeTensorReadsOnlyWhatItNeeds) {
  const std::uint64_t rows = 64;
  const std::uint64_t columns = 1 << 17;
  const std::uint64_t bytes = rows * columns;
  const auto source = std::make_shared<UnmappedSource>(
      test::file_of(header_of({entry("b", "U8", {rows, columns}, 0, bytes)}), bytes));
  const SafetensorsFile file = SafetensorsFile::from_source(source);
  source->bytes_read = 0;
  EXPECT_EQ(slice(file, ":, 5:8").size(), 3 * rows);
  EXPECT_EQ(source->bytes_read, 3 * rows);
}

TEST(SafetensorsFile, GivesTensorsAndSlicesToLoadOfManyFilesAtOnce) {
  std::vector<std::byte> scalar(1);
  std::vector<std::byte> columns(8);
  std::vector<LoadStep> steps;
  {
    const SafetensorsFile one = mapped();
    const SafetensorsFile other = unmapped();
    steps = {one.load_step("a", {}, scalar), other.load_step("b", parse_slice(":, 2:4"), columns)};
  }
  const LoadReport report = load_into(steps);
  EXPECT_THAT(numbers(scalar), ElementsAre(0x63));
  EXPECT_THAT(numbers(columns), ElementsAre(2, 3, 8, 9, 14, 15, 20, 21));
  EXPECT_EQ(report.files.size(), 2U);
  const auto error = error_of([&] { static_cast<void>(mapped().load_step("c", {}, scalar)); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::TensorNotFound);
}

// Longer headers than this are read by several threads.
TEST(SafetensorsFile, ReadsALongHeaderAsAShortOne) {
  std::vector<std::string> members;
  for (std::uint64_t i = 0; i < 30'000; ++i)
    members.push_back(entry(fmt::format("model.layers.{}.weight", i), "U8", {0, i % 7}, 0, 0));
  const test::TempFolder folder;
  const auto path = folder / "long.safetensors";
  test::put_file(path, test::file_of(header_of(members)));
  const SafetensorsFile file = SafetensorsFile::open(path);
  const Header expected = read_header(*file.source());
  ASSERT_EQ(file.header().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(file.header().name(i), expected.name(i));
    ASSERT_TRUE(std::ranges::equal(file.header()[i].shape, expected[i].shape)) << i;
    ASSERT_EQ(file.header().find(expected.name(i)), i);
  }
}

}  // namespace
}  // namespace weighbridge
