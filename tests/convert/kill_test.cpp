// Saves and conversions over an existing output, ended at every one of their system calls.
#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <weighbridge/convert.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "support/killed_at.hpp"
#include "support/temp_folder.hpp"

namespace weighbridge {
namespace {

using test::get_file;
using test::killed_at;
using test::put_file;
using test::TempFolder;

/// Content by name.
using Files = std::map<std::string, std::string>;

Files files_of(const TempFolder& folder) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    files[entry.path().filename().string()] = get_file(entry.path());
  }
  return files;
}

bool is_left_over(const std::string& name) {
  return name.starts_with(".weighbridge-") && name.ends_with(".tmp");
}

constexpr std::array<float, 6> kWeights = {0, 1, 2, 3, 4, 5};
constexpr std::array<std::uint64_t, 2> kShape = {2, 3};

TensorView weights(std::string_view name) {
  return {.name = name, .dtype = DType::F32, .shape = kShape, .bytes = std::as_bytes(std::span(kWeights))};
}

WriteOptions replacing(Durability durability) {
  WriteOptions options;
  options.durability = durability;
  options.overwrite = true;
  options.threads = 1;
  return options;
}

// How many system calls an action makes varies a little where it waits for the kernel. So the end is where
// this many in a row were not killed any more.
constexpr int kRunsToTheEnd = 16;
constexpr int kMostStops = 5000;
constexpr int kMostSweeps = 10;

/// An output folder before and after an action, and at every moment between.
class Kills : public testing::Test {
 protected:
  void SetUp() override {
    if (!killed_at(1'000'000, [] {})) GTEST_SKIP() << "processes cannot be watched here";
    const int unnamed = ::open(folder_.path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (unnamed < 0) GTEST_SKIP() << "this file system has no files without a name";
    ::close(unnamed);
  }

  void restore(const Files& files) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      std::filesystem::remove(entry.path());
    }
    for (const auto& [name, content] : files) put_file(folder_ / name, content);
  }

  /// Calls `check` with what each kill leaves; files that were left over are looked at here and not passed
  /// on.
  void at_every_call(const Files& before, const std::function<void()>& action,
                     const std::function<void(const Files&)>& check) {
    restore(before);
    action();
    after_ = files_of(folder_);
    // Where that number varies, one sweep may miss the few calls behind the commit in every run.
    for (int sweeps = 0; !saw_all() && sweeps < kMostSweeps; ++sweeps) sweep(before, action, check);
    EXPECT_GT(old_, 10) << "the moments before the commit";
    EXPECT_GE(new_, 1) << "the moments after it";
  }

  /// One run for each stop, until it seems that there are no more.
  void sweep(const Files& before, const std::function<void()>& action,
             const std::function<void(const Files&)>& check) {
    int end = 1;
    for (int stop = 1; stop < end + kRunsToTheEnd && stop < kMostStops; ++stop) {
      restore(before);
      const bool killed = killed_at(stop, action).value_or(false);
      if (killed) end = stop + 1;
      SCOPED_TRACE("stop " + std::to_string(stop));
      Files left = files_of(folder_);
      std::erase_if(left, [this](const auto& file) { return accept_left_over(file.first, file.second); });
      check(left);
      if (killed) {
        ++(left == before ? old_ : left == after_ ? new_ : mixed_);
      } else {
        EXPECT_EQ(left, after_);
      }
    }
    EXPECT_LT(end, kMostStops);
  }

  /// Whether every state that can be between was seen.
  [[nodiscard]] virtual bool saw_all() const { return new_ > 0; }

  /// A file without its name is at least whole, and named so that anybody can tell what it is.
  bool accept_left_over(const std::string& name, const std::string& content) const {
    if (!is_left_over(name)) return false;
    EXPECT_TRUE(std::ranges::any_of(after_, [&](const auto& file) { return file.second == content; }));
    return true;
  }

  TempFolder folder_;
  TempFolder inputs_;
  Files after_;
  int old_ = 0;
  int new_ = 0;
  int mixed_ = 0;
};

TEST_F(Kills, OfASaveLeaveTheOldFileOrTheNewOne) {
  const TensorView view = weights("w");
  for (const Durability durability : {Durability::None, Durability::Full}) {
    const auto save = [&] { save_tensors({&view, 1}, folder_ / "m", {}, {}, replacing(durability)); };
    old_ = new_ = 0;
    at_every_call({{"m", "the old file"}}, save, [](const Files&) {});
    EXPECT_EQ(mixed_, 0);
  }
}

TEST_F(Kills, OfALargeSaveLeaveTheOldFileOrTheNewOne) {
  const std::vector<std::byte> bytes(3'000'001, std::byte{7});
  const std::array<std::uint64_t, 1> shape = {bytes.size()};
  const TensorView view{.name = "w", .dtype = DType::U8, .shape = shape, .bytes = bytes};
  for (const WriteMethod method : {WriteMethod::Direct, WriteMethod::Mapped}) {
    WriteOptions options = replacing(Durability::Full);
    options.method = method;
    old_ = new_ = 0;
    at_every_call(
        {{"m", "the old file"}}, [&] { save_tensors({&view, 1}, folder_ / "m", {}, {}, options); },
        [](const Files&) {});
    EXPECT_EQ(mixed_, 0);
  }
}

TEST_F(Kills, OfASaveToANewNameLeaveNothingOrTheWholeFile) {
  const TensorView view = weights("w");
  at_every_call(
      {}, [&] { save_tensors({&view, 1}, folder_ / "m", {}, {}, replacing(Durability::None)); },
      [](const Files&) {});
  EXPECT_EQ(mixed_, 0);
}

TEST_F(Kills, OfAConversionLeaveTheOldFileOrTheNewOne) {
  const TensorView view = weights("w");
  save_tensors({&view, 1}, inputs_ / "in");
  ConvertOptions options;
  options.write = replacing(Durability::Data);
  at_every_call(
      {{"m", "the old file"}}, [&] { convert(inputs_ / "in", folder_ / "m", options); }, [](const Files&) {});
  EXPECT_EQ(mixed_, 0);
}

TEST_F(Kills, OfALargeConversionLeaveTheOldFileOrTheNewOne) {
  const std::vector<std::byte> bytes(3'000'001, std::byte{7});
  const std::array<std::uint64_t, 1> shape = {bytes.size()};
  const TensorView view{.name = "w", .dtype = DType::U8, .shape = shape, .bytes = bytes};
  save_tensors({&view, 1}, inputs_ / "in");
  ConvertOptions options;
  options.write = replacing(Durability::Data);
  options.write.method = WriteMethod::Mapped;
  at_every_call(
      {{"m", "the old file"}}, [&] { convert(inputs_ / "in", folder_ / "m", options); }, [](const Files&) {});
  EXPECT_EQ(mixed_, 0);
}

class KillsOfShards : public Kills {
 protected:
  KillsOfShards() {
    const std::array views = {weights("a"), weights("b")};
    save_tensors(views, inputs_ / "in");
    options_.max_shard_bytes = 24;
    options_.write = replacing(Durability::None);
  }

  [[nodiscard]] bool saw_all() const override { return new_ > 0 && mixed_ > 0; }

  void convert_with_sidecar() const {
    Conversion conversion = plan_conversion(open_file(inputs_ / "in"), "m.safetensors", options_);
    OutputFile sidecar{.name = sidecar_file_name("m.safetensors"), .plan = {}};
    sidecar.plan.head = "{}";
    sidecar.plan.total_bytes = 2;
    conversion.files.push_back(std::move(sidecar));
    const auto folder = open_output_folder(folder_.path(), options_.write);
    write_conversion(conversion, *folder, options_);
  }

  /// Every file is that of before or after; whatever describes the others belongs to all of them.
  void expect_no_wrong_set(const Files& before, const Files& left) const {
    bool all_old = true;
    bool all_new = true;
    for (const auto& [name, content] : left) {
      const bool is_old = before.contains(name) && before.at(name) == content;
      const bool is_new = after_.contains(name) && after_.at(name) == content;
      EXPECT_TRUE(is_old || is_new) << name;
      all_old = all_old && is_old;
      all_new = all_new && is_new;
    }
    for (const char* name : {kIndex, kSidecar}) {
      EXPECT_TRUE(!left.contains(name) || all_old || all_new) << name << " is about other files";
    }
  }

  static constexpr const char* kFirst = "m-00001-of-00002.safetensors";
  static constexpr const char* kSecond = "m-00002-of-00002.safetensors";
  static constexpr const char* kIndex = "m.safetensors.index.json";
  static constexpr const char* kSidecar = "m.safetensors.meta.json";
  ConvertOptions options_;
};

TEST_F(KillsOfShards, NeverLeaveAnIndexOrASidecarOfOtherFiles) {
  const Files before = {
      {kFirst, "old 1"}, {kSecond, "old 2"}, {kIndex, "old index"}, {kSidecar, "old sidecar"}};
  at_every_call(
      before, [this] { convert_with_sidecar(); },
      [&](const Files& left) {
        expect_no_wrong_set(before, left);
        EXPECT_TRUE(left.contains(kFirst) && left.contains(kSecond));
      });
  EXPECT_GT(mixed_, 0) << "several files cannot be replaced in one step";
}

TEST_F(KillsOfShards, OfANewOutputPutItsIndexLast) {
  at_every_call(
      {}, [this] { convert_with_sidecar(); },
      [this](const Files& left) {
        for (const auto& [name, content] : left) EXPECT_EQ(content, after_.at(name));
        EXPECT_TRUE(!left.contains(kIndex) || (left.contains(kFirst) && left.contains(kSecond)));
      });
}

}  // namespace
}  // namespace weighbridge
