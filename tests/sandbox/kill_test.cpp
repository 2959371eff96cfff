// A conversion over an existing output, killed before each single system call that it makes.
#include <array>

#include <weighbridge/convert.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sandbox/run.hpp"
#include "sandbox/tracer.hpp"
#include "support/temp_folder.hpp"

namespace weighbridge::sandbox::test {
namespace {

using weighbridge::test::get_file;
using weighbridge::test::put_file;
using weighbridge::test::TempFolder;

constexpr const char* kOld = "the old output";

std::string name_of(const std::filesystem::directory_entry& entry) {
  return entry.path().filename().string();
}

/// An input, an old output, and what the new one has to be.
class Kills : public testing::Test {
 protected:
  Kills() {
    static constexpr std::array<float, 6> kValues = {0, 1, 2, 3, 4, 5};
    static constexpr std::array<std::uint64_t, 2> kShape = {2, 3};
    const TensorView view{
        .name = "w", .dtype = DType::F32, .shape = kShape, .bytes = std::as_bytes(std::span(kValues))};
    save_tensors({&view, 1}, input());
    convert(input(), expected(), write_options());
    new_ = get_file(expected());
    std::filesystem::remove(expected());
  }

  void SetUp() override {
    if (!can_trace()) GTEST_SKIP() << "this system does not let a process trace its child";
    const int unnamed = ::open(dir_.path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (unnamed < 0) GTEST_SKIP() << "this file system has no files without a name";
    ::close(unnamed);
  }

  [[nodiscard]] std::filesystem::path input() const { return dir_ / "in.safetensors"; }
  [[nodiscard]] std::filesystem::path output() const { return dir_ / "out.safetensors"; }
  [[nodiscard]] std::filesystem::path expected() const { return dir_ / "expected.safetensors"; }

  static ConvertOptions write_options() {
    ConvertOptions options;
    options.write.overwrite = true;
    options.write.threads = 1;
    return options;
  }

  void convert_in_worker() const {
    WorkerOptions worker;
    worker.inputs = {input()};
    worker.output = output();
    worker.write.overwrite = true;
    run_worker(worker, [](WorkerFiles& files) {
      const Conversion conversion = plan_conversion(files.open_input(), "out.safetensors", write_options());
      write_conversion(conversion, files.output_folder(), write_options());
      return 0;
    });
  }

  /// Puts the old output back, converts, kills. False when there was nothing left to kill.
  bool kill_at(Victim victim, int call) {
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      if (entry.path() != input()) std::filesystem::remove(entry.path());
    }
    put_file(output(), kOld);
    return run_and_kill([this] { convert_in_worker(); }, victim, call);
  }

  /// The output is the old one or the new one, whole; returns whether it is the new one.
  [[nodiscard]] bool is_new(int call) const {
    const std::string content = get_file(output());
    EXPECT_TRUE(content == kOld || content == new_) << "killed before call " << call;
    return content == new_;
  }

  /// Names in the folder that are neither the input nor the output.
  [[nodiscard]] std::vector<std::string> left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      if (entry.path() != input() && entry.path() != output()) names.push_back(name_of(entry));
    }
    return names;
  }

  TempFolder dir_;
  std::string new_;
};

TEST_F(Kills, OfTheWorkerLeaveTheOldOutputOrTheNewAndNothingElse) {
  int call = 1;
  int old = 0;
  int complete = 0;
  for (; kill_at(Victim::Worker, call); ++call) {
    ++(is_new(call) ? complete : old);
    EXPECT_TRUE(left_behind().empty()) << left_behind().front() << ", killed before call " << call;
  }
  EXPECT_GT(old, 30) << "the moments before the commit";
  EXPECT_GE(complete, 1) << "the moments after it";
  EXPECT_TRUE(is_new(call)) << "not killed at all";
}

TEST_F(Kills, OfTheBrokerLeaveTheOldOutputOrTheNew) {
  int call = 1;
  int old = 0;
  std::vector<int> leaving;
  for (; kill_at(Victim::Broker, call); ++call) {
    if (!is_new(call)) ++old;
    for (const std::string& name : left_behind()) {
      leaving.push_back(call);
      EXPECT_EQ(get_file(dir_ / name), new_) << "a file that is left behind is at least whole";
    }
  }
  EXPECT_GT(old, 10);
  EXPECT_TRUE(is_new(call)) << "not killed at all";
  // Only rename() replaces a file in one step, and it needs a name to start from. docs/security.md
  // says so: between these two calls, and there alone, a killed broker can leave a hidden file.
  EXPECT_LE(leaving.size(), 1U);
}

}  // namespace
}  // namespace weighbridge::sandbox::test
