#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/support.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

void write_text(const AtomicFile& file, const std::string& text) {
  write_at(file.descriptor(), 0, std::as_bytes(std::span(text)), file.path());
}

constexpr std::array kKinds = {Temporary::Unnamed, Temporary::Named};

void replace(const std::filesystem::path& path, const std::string& text, bool overwrite,
             Durability durability = Durability::None, Temporary kind = Temporary::Unnamed) {
  AtomicFile file(path, overwrite, kind);
  write_text(file, text);
  file.commit(durability);
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

TEST(AtomicFile, AppearsOnlyWithItsCommit) {
  for (const Temporary kind : kKinds) {
    const TempFolder folder;
    {
      AtomicFile file(folder / "out", false, kind);
      write_text(file, "new");
      EXPECT_FALSE(std::filesystem::exists(folder / "out"));
      file.commit(Durability::None);
    }
    EXPECT_EQ(get_file(folder / "out"), "new");
    EXPECT_EQ(folder.entries(), 1U);
  }
}

TEST(AtomicFile, LeavesNothingWhenItIsDropped) {
  for (const Temporary kind : kKinds) {
    const TempFolder folder;
    put_file(folder / "out", "old");
    {
      write_text(AtomicFile(folder / "out", true, kind), "new");
    }
    EXPECT_EQ(get_file(folder / "out"), "old");
    EXPECT_EQ(folder.entries(), 1U);
  }
}

TEST(AtomicFile, ReplacesInEveryDurability) {
  const TempFolder folder;
  for (const Temporary kind : kKinds) {
    for (const Durability durability : {Durability::None, Durability::Data, Durability::Full}) {
      const std::string text = pattern(100, static_cast<std::uint64_t>(durability));
      replace(folder / "out", text, true, durability, kind);
      EXPECT_EQ(get_file(folder / "out"), text);
      EXPECT_EQ(folder.entries(), 1U);
    }
  }
}

TEST(AtomicFile, TakesTheModeFromTheUmaskOrFromTheReplacedFile) {
  const TempFolder folder;
  const Umask umask(027);
  replace(folder / "out", "1", false);
  EXPECT_EQ(mode_of(folder / "out"), 0640U);
  replace(folder / "named", "1", false, Durability::None, Temporary::Named);
  EXPECT_EQ(mode_of(folder / "named"), 0640U);
  ASSERT_EQ(::chmod((folder / "out").c_str(), 0604), 0);
  replace(folder / "out", "2", true);
  EXPECT_EQ(mode_of(folder / "out"), 0604U);
}

TEST(AtomicFile, DoesNotCarryOverSetIdBits) {
  const TempFolder folder;
  put_file(folder / "out", "1");
  ASSERT_EQ(::chmod((folder / "out").c_str(), 06755), 0);
  replace(folder / "out", "2", true);
  EXPECT_EQ(mode_of(folder / "out"), 0755U);
}

TEST(AtomicFile, KeepsTheOwnerWhereThatIsPermitted) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  const TempFolder folder;
  put_file(folder / "out", "1");
  ASSERT_EQ(::chown((folder / "out").c_str(), 1234, 4321), 0);
  replace(folder / "out", "2", true);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "out").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 1234U);
  EXPECT_EQ(status.st_gid, 4321U);
}

TEST(AtomicFile, GivesTheRightsOfAGroupToNoOtherGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may become somebody else";
  const TempFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  put_file(folder / "out", "1");
  ASSERT_EQ(::chmod((folder / "out").c_str(), 0664), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool other = ::setgroups(0, nullptr) == 0 && ::setgid(4321) == 0 && ::setuid(1234) == 0;
    if (other) replace(folder / "out", "2", true);
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(get_file(folder / "out"), "2");
  EXPECT_EQ(mode_of(folder / "out"), 0644U);
}

TEST(AtomicFile, RefusesAnExistingFileFromTheStart) {
  const TempFolder folder;
  put_file(folder / "out", "old");
  expect_error(ErrorCode::OutputExists, "out' exists", [&] { AtomicFile(folder / "out", false); });
}

TEST(AtomicFile, RefusesAFileThatAppearedMeanwhile) {
  for (const Temporary kind : kKinds) {
    const TempFolder folder;
    {
      AtomicFile file(folder / "out", false, kind);
      write_text(file, "ours");
      put_file(folder / "out", "theirs");
      expect_error(ErrorCode::OutputExists, "exists", [&] { file.commit(Durability::None); });
    }
    EXPECT_EQ(get_file(folder / "out"), "theirs");
    EXPECT_EQ(folder.entries(), 1U);
  }
}

TEST(AtomicFile, OverwritesAFileThatAppearedMeanwhileWhenToldTo) {
  const TempFolder folder;
  {
    AtomicFile file(folder / "out", true);
    write_text(file, "ours");
    put_file(folder / "out", "theirs");
    file.commit(Durability::None);
  }
  EXPECT_EQ(get_file(folder / "out"), "ours");
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(AtomicFile, ReplacesWhatASymbolicLinkPointsTo) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "store");
  put_file(folder / "store/real", "old");
  std::filesystem::create_symlink("store/real", folder / "link");
  std::filesystem::create_symlink("link", folder / "link2");
  replace(folder / "link2", "new", true);
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link2"));
  EXPECT_EQ(get_file(folder / "store/real"), "new");
}

TEST(AtomicFile, CreatesWhatADanglingLinkPointsTo) {
  const TempFolder folder;
  std::filesystem::create_symlink(folder / "real", folder / "link");
  replace(folder / "link", "new", false);
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(get_file(folder / "real"), "new");
}

TEST(AtomicFile, RefusesTargetsThatAreNoRegularFiles) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  std::filesystem::create_symlink("loop", folder / "loop");
  expect_error(ErrorCode::IoError, "is a pipe", [&] { AtomicFile(folder / "fifo", true); });
  EXPECT_EQ(error_of([&] { AtomicFile(folder.path(), true); })->system_error(), EISDIR);
  EXPECT_EQ(error_of([&] { AtomicFile(folder / "", true); })->system_error(), EISDIR);
  EXPECT_EQ(error_of([&] { AtomicFile(folder / "loop", true); })->system_error(), ELOOP);
  EXPECT_EQ(error_of([&] { AtomicFile(folder / "none/out", true); })->system_error(), ENOENT);
  EXPECT_EQ(folder.entries(), 2U);
}

TEST(AtomicFile, WorksInTheCurrentFolder) {
  const TempFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  replace("out", "new", false);
  std::filesystem::current_path(before);
  EXPECT_EQ(get_file(folder / "out"), "new");
}

}  // namespace
}  // namespace weighbridge::io
