#include <atomic>
#include <memory>
#include <string>

#include <weighbridge/convert.hpp>

#include <gtest/gtest.h>

#include "support/temp_folder.hpp"

namespace weighbridge {
namespace {

using test::get_file;
using test::TempFolder;

constexpr std::uint64_t kTensorBytes = std::uint64_t{33} << 20;  // worth a thread

/// What is read of it: never the same byte for neighbours, and by whom.
class WatchedSource final : public ByteSource {
 public:
  explicit WatchedSource(std::uint64_t bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_; }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    if (offset < position_) went_back = true;
    position_ = offset + out.size();
    for (std::byte& byte : out) byte = static_cast<std::byte>(offset++ % 251);
  }
  mutable std::atomic<bool> went_back = false;

 private:
  std::uint64_t bytes_;
  mutable std::atomic<std::uint64_t> position_ = 0;
};

/// Three large tensors, a file each.
Conversion three_files(const SourcePtr& source) {
  Checkpoint checkpoint;
  for (const std::uint64_t i : {0U, 1U, 2U}) {
    checkpoint.tensors.push_back(
        {.spec = {.name = std::to_string(i), .dtype = DType::U8, .shape = {kTensorBytes}},
         .data = {.source = source, .offset = i * kTensorBytes}});
  }
  ConvertOptions options;
  options.max_shard_bytes = kTensorBytes;
  return plan_checkpoint(std::move(checkpoint), "m.safetensors", options);
}

SourcePtr in_memory(const WatchedSource& source) {
  std::string bytes(source.size(), ' ');
  source.read_at(0, std::as_writable_bytes(std::span(bytes)));
  return memory_source(Buffer::take(std::move(bytes)));
}

ConvertReport write(const Conversion& conversion, const TempFolder& folder, const ConvertOptions& options) {
  const auto out = open_output_folder(folder.path(), options.write);
  return write_conversion(conversion, *out, options);
}

TEST(WriteConversion, GivesTheSameFilesHoweverManyAreWrittenAtOnce) {
  const WatchedSource content(3 * kTensorBytes);
  const Conversion conversion = three_files(in_memory(content));
  ASSERT_EQ(conversion.files.size(), 4U) << "and the index";
  const TempFolder one_by_one;
  const TempFolder at_once;
  ConvertOptions options;
  options.write.verify = false;
  options.write.threads = 1;
  EXPECT_EQ(write(conversion, one_by_one, options).write.threads, 1U);
  options.write.threads = 3;
  options.write.verify = true;
  const ConvertReport report = write(conversion, at_once, options);
  EXPECT_EQ(report.write.threads, 3U);
  EXPECT_TRUE(report.write.verified);
  for (const OutputFile& file : conversion.files) {
    EXPECT_TRUE(get_file(one_by_one / file.name) == get_file(at_once / file.name)) << file.name;
  }
}

TEST(WriteConversion, ReportsEachFileAndAllTogether) {
  const Conversion conversion = three_files(in_memory(WatchedSource(3 * kTensorBytes)));
  const TempFolder folder;
  ConvertOptions options;
  options.write.threads = 2;
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  options.write.progress = [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  };
  const ConvertReport report = write(conversion, folder, options);
  EXPECT_EQ(last, total);
  EXPECT_EQ(total, 2 * report.write.bytes_written) << "read again, too";
  ASSERT_EQ(report.files.size(), conversion.files.size());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < report.files.size(); ++i) {
    EXPECT_EQ(report.files[i].bytes_written, conversion.files[i].plan.total_bytes);
    EXPECT_FALSE(report.files[i].why.empty());
    sum += report.files[i].bytes_written;
  }
  EXPECT_EQ(report.write.bytes_written, sum);
}

TEST(WriteConversion, ReadsASourceThatIsReadInOrderOnceAndInOrder) {
  const auto source = std::make_shared<WatchedSource>(3 * kTensorBytes);
  const Conversion conversion = three_files(source);
  const TempFolder folder;
  ConvertOptions options;
  options.write.verify = false;
  options.write.threads = 4;
  write(conversion, folder, options);
  EXPECT_FALSE(source->went_back);
}

TEST(WriteConversion, LeavesNothingWhenOneOfSeveralFilesFails) {
  Conversion conversion = three_files(in_memory(WatchedSource(3 * kTensorBytes)));
  conversion.files[1].plan.steps.front().source = memory_source(Buffer::take(std::string("short")));
  const TempFolder folder;
  ConvertOptions options;
  options.write.threads = 3;
  EXPECT_THROW(write(conversion, folder, options), Error);
  EXPECT_EQ(folder.entries(), 0U);
}

}  // namespace
}  // namespace weighbridge
