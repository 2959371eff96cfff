#include <cerrno>
#include <csignal>
#include <random>
#include <thread>

#include <weighbridge/write.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "io/support.hpp"
#include "support/refuse_call.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WB_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WB_SANITIZED 1
#endif
#endif
#ifndef WB_SANITIZED
#define WB_SANITIZED 0
#endif

namespace weighbridge {
namespace {

using namespace weighbridge::test;

constexpr std::size_t kContentBytes = 12 << 20;

/// An old output and a plan for a new one, in a folder of their own.
class Scene {
 public:
  Scene() : content_(pattern(kContentBytes)), builder_("head") {
    put_file(sources_ / "content", content_);
    put_file(out(), "old");
    const SourcePtr file = open_file(sources_ / "content");
    builder_.copy(file, content_, 5, content_.size() - 5);
    builder_.copy(std::make_shared<ReadOnlySource>(content_), content_, 0, content_.size());
  }

  [[nodiscard]] std::filesystem::path out() const { return folder_ / "out"; }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }
  [[nodiscard]] const PlanBuilder& builder() const { return builder_; }
  [[nodiscard]] FilePlan plan() const { return builder_.plan(); }
  /// One that lies in memory alone, and is large enough to be written directly when it must be durable.
  [[nodiscard]] FilePlan memory_plan() const {
    PlanBuilder builder("head");
    builder.copy(in_memory(content_), content_, 0, content_.size());
    return builder.plan();
  }
  [[nodiscard]] const std::string& content() const { return content_; }

  void expect_untouched() const {
    EXPECT_EQ(get_file(out()), "old");
    EXPECT_EQ(folder_.entries(), 1U);
  }

 private:
  TempFolder sources_;
  TempFolder folder_;
  std::string content_;
  PlanBuilder builder_;
};

bool has_unnamed_files(const std::filesystem::path& folder) {
  return static_cast<bool>(io::Descriptor(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)));
}

/// Runs `action` in a process of its own; gives its wait status, after SIGKILL when `patience` ends first.
int in_child(const std::function<int()>& action, std::optional<std::chrono::microseconds> patience = {}) {
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 99;
    try {
      code = action();
    } catch (...) {
    }
    ::_exit(code);
  }
  if (patience) {
    std::this_thread::sleep_for(*patience);
    ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

TEST(WriteFaults, KeepTheOldFileWhenTheNewOneMayNotGrow) {
  const Scene scene;
  for (const unsigned threads : {1U, 4U}) {
    const int status = in_child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      try {
        write_file(scene.plan(), scene.out(), {.overwrite = true, .threads = threads});
      } catch (const Error& error) {
        return error.system_error() == EFBIG ? 7 : 8;
      }
      return 9;
    });
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
    scene.expect_untouched();
  }
}

/// What a process gets that saves durably and has `error` for an answer to `call` from then on.
int errno_of_save(const Scene& scene, long call, int error) {
  const int status = in_child([&] {
    refuse_call(SYS_io_uring_setup, ENOSYS);
    refuse_call(call, error);
    try {
      write_file(scene.memory_plan(), scene.out(),
                 {.durability = Durability::Full, .verify = false, .overwrite = true});
    } catch (const Error& failure) {
      return failure.system_error();
    }
    return 0;
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(WriteFaults, KeepTheOldFileWhenTheDiskIsFullOrFails) {
  const Scene scene;
  EXPECT_EQ(errno_of_save(scene, SYS_fallocate, ENOSPC), ENOSPC);
  EXPECT_EQ(errno_of_save(scene, SYS_pwrite64, ENOSPC), ENOSPC);
  EXPECT_EQ(errno_of_save(scene, SYS_pwrite64, EIO), EIO);
  EXPECT_EQ(errno_of_save(scene, SYS_fsync, EIO), EIO);
  scene.expect_untouched();
}

TEST(WriteFaults, KeepTheOldFileWhenTheSourceFailsMidway) {
  const Scene scene;
  PlanBuilder builder("head");
  builder.copy(in_memory(scene.content()), scene.content(), 0, scene.content().size());
  builder.add(in_memory("short"), range_of(0, 6), "short?");
  for (const unsigned threads : {1U, 4U}) {
    expect_error(ErrorCode::IoError, "leave",
                 [&] { write_file(builder.plan(), scene.out(), {.overwrite = true, .threads = threads}); });
    scene.expect_untouched();
  }
}

TEST(WriteFaults, KeepTheOldFileWhenASourceFileShrinks) {
  const Scene scene;
  const TempFolder sources;
  put_file(sources / "f", scene.content());
  for (const ReadMode mode : {ReadMode::Positional, ReadMode::Mapped}) {
    for (const WriteMethod method : {WriteMethod::Auto, WriteMethod::Mapped}) {
      std::filesystem::resize_file(sources / "f", scene.content().size());
      PlanBuilder builder("head");
      builder.copy(open_file(sources / "f", mode), scene.content(), 0, scene.content().size());
      std::filesystem::resize_file(sources / "f", 5 << 20);
      expect_error(ErrorCode::IoError, "has 5242880 bytes and had 12582912",
                   [&] { write_file(builder.plan(), scene.out(), {.overwrite = true, .method = method}); });
      scene.expect_untouched();
    }
  }
}

/// Gives other bytes each time.
class FickleSource final : public ByteSource {
 public:
  std::uint64_t size() const override { return 1000; }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    std::ranges::fill(out, static_cast<std::byte>(++reads_));
  }

 private:
  mutable std::atomic<unsigned> reads_ = 0;
};

TEST(WriteFaults, KeepTheOldFileWhenVerificationFails) {
  const Scene scene;
  PlanBuilder builder("head");
  builder.add(std::make_shared<FickleSource>(), range_of(0, 1000), std::string(1000, ' '));
  expect_error(ErrorCode::VerificationFailed, "tensor 't0' differs",
               [&] { write_file(builder.plan(), scene.out(), {.overwrite = true}); });
  scene.expect_untouched();
  write_file(builder.plan(), scene.out(), {.verify = false, .overwrite = true});
  EXPECT_EQ(get_file(scene.out()).size(), 1004U);
}

TEST(WriteFaults, StopWhenASignalHandlerCancels) {
  const Scene scene;
  static std::atomic<bool> cancel = false;
  cancel = false;
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { cancel = true; };
  ASSERT_EQ(::sigaction(SIGTERM, &action, &before), 0);
  for (const std::uint64_t when : {std::uint64_t{1}, scene.plan().total_bytes + 1}) {  // writing, verifying
    cancel = false;
    WriteOptions options{.overwrite = true, .threads = 12};
    options.cancel = &cancel;
    options.progress = [when](std::uint64_t done, std::uint64_t) {
      if (done >= when) ::raise(SIGTERM);
    };
    expect_error(ErrorCode::Cancelled, "cancelled", [&] { write_file(scene.plan(), scene.out(), options); });
    scene.expect_untouched();
  }
  ::sigaction(SIGTERM, &before, nullptr);
}

TEST(WriteFaults, PassOnWhatTheProgressFunctionThrows) {
  const Scene scene;
  WriteOptions options{.overwrite = true, .threads = 4};
  options.progress = [](std::uint64_t, std::uint64_t) { throw std::out_of_range("mine"); };
  EXPECT_THROW(write_file(scene.plan(), scene.out(), options), std::out_of_range);
  scene.expect_untouched();
}

TEST(WriteFaults, AKilledWriterOfANewFileLeavesItWholeOrNothing) {
  const Scene scene;
  if (!has_unnamed_files(scene.folder().path())) GTEST_SKIP() << "no O_TMPFILE here";
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove(scene.out());
    in_child([&] { return write_file(scene.plan(), scene.out(), {.threads = 2}).verified ? 0 : 1; },
             std::chrono::microseconds(random() % 60'000));
    if (std::filesystem::exists(scene.out())) {
      EXPECT_TRUE(get_file(scene.out()) == scene.builder().expected());
      EXPECT_EQ(scene.folder().entries(), 1U);
    } else {
      EXPECT_EQ(scene.folder().entries(), 0U);
    }
  }
}

TEST(WriteFaults, AKilledWriterOverAnOldFileLeavesTheOldOneOrTheNewOne) {
  const Scene scene;
  if (!has_unnamed_files(scene.folder().path())) GTEST_SKIP() << "no O_TMPFILE here";
  std::mt19937 random(4);
  for (int round = 0; round < 20; ++round) {
    put_file(scene.out(), "old");
    in_child([&] { return write_file(scene.plan(), scene.out(), {.overwrite = true}).verified ? 0 : 1; },
             std::chrono::microseconds(random() % 60'000));
    for (const auto& entry : std::filesystem::directory_iterator(scene.folder().path())) {
      const std::string found = get_file(entry.path());
      // Between its link and its rename a complete new file has a name of its own.
      EXPECT_TRUE(found == scene.builder().expected() || (found == "old" && entry.path() == scene.out()));
    }
  }
}

std::uint64_t private_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8)) * 1024;
  }
  return 0;
}

TEST(WriteFaults, MemoryStaysWithinTheBoundHoweverLargeTheTensors) {
  if (WB_SANITIZED || private_memory() == 0) GTEST_SKIP() << "memory cannot be measured";
  const TempFolder folder;
  constexpr std::uint64_t kSide = 5120;
  put_file(folder / "sparse", "");
  std::filesystem::resize_file(folder / "sparse", 4 * kSide * kSide);
  const SourcePtr file = open_file(folder / "sparse", ReadMode::Positional);
  FilePlan plan;
  plan.total_bytes = 8 * kSide * kSide;
  plan.steps.push_back(
      {"transposed", file, strided(0, 4, {{kSide, 4}, {kSide, 4 * kSide}}), Transform::Swap4, 0});
  plan.steps.push_back(
      {"straight", file, range_of(0, 4 * kSide * kSide), Transform::None, 4 * kSide * kSide});
  for (const unsigned threads : {1U, 64U}) {
    const std::uint64_t before = private_memory();
    std::uint64_t most = 0;
    WriteOptions options{.overwrite = true, .threads = threads};
    options.progress = [&](std::uint64_t, std::uint64_t) { most = std::max(most, private_memory()); };
    write_file(plan, folder / "out", options);
    EXPECT_LT(most - std::min(most, before), std::uint64_t{64} << 20) << threads << " threads";
  }
}

}  // namespace
}  // namespace weighbridge
