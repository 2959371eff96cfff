#include "io/insert_head.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <system_error>

#include <weighbridge/error.hpp>

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/endian.hpp"
#include "io/atomic_file.hpp"
#include "io/descriptor.hpp"

namespace weighbridge::io {
namespace {

constexpr std::string_view kMagic = "wb-edit\n";
constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::size_t kHeadAt = 3 * kWord;  // behind magic, inode, and the size of the file to be

struct stat status_of(int descriptor, const std::string& path) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) throw Error::from_errno(errno, "examine", path);
  return status;
}

/// Beside the file itself, wherever links lead.
std::filesystem::path journal_of(const std::filesystem::path& path) {
  std::error_code failure;
  const std::filesystem::path file = std::filesystem::canonical(path, failure);
  if (failure) throw Error::from_errno(failure.value(), "change", path.native());
  return file.parent_path() / (".weighbridge-" + file.filename().native() + ".edit");
}

void sync(int descriptor, Durability durability, const std::string& path) {
  if (durability != Durability::None && ::fsync(descriptor) != 0)
    throw Error::from_errno(errno, "write", path);
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// The length in front, which makes the file valid, comes last.
void write_head(int descriptor, std::string_view head, Durability durability, const std::string& path) {
  write_at(descriptor, kWord, bytes_of(head.substr(kWord)), path);
  sync(descriptor, durability, path);
  write_at(descriptor, 0, bytes_of(head.substr(0, kWord)), path);
  sync(descriptor, durability, path);
}

void write_journal(const std::filesystem::path& journal, ino_t inode, std::uint64_t new_size,
                   std::string_view head, Durability durability) {
  std::array<char, 2 * kWord> numbers{};
  store_le<std::uint64_t>(numbers.data(), inode);
  store_le<std::uint64_t>(numbers.data() + kWord, new_size);
  std::string content(kMagic);
  content.append(numbers.data(), numbers.size()).append(head);
  WriteOptions options;
  options.overwrite = true;
  options.durability = durability;
  write_text_file(journal, content, options);
}

/// The whole journal, or nothing when there is none.
std::optional<std::string> read_journal(const std::filesystem::path& journal) {
  const Descriptor file(::open(journal.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return std::nullopt;
  const struct stat status = status_of(file.get(), journal.native());
  const std::uint64_t size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
  constexpr std::uint64_t kMost = 100'000'000 + kWord + kHeadAt;  // the longest header there is
  std::string content(std::min(size, kMost), '\0');
  const std::size_t got =
      read_until_end(file.get(), 0, std::as_writable_bytes(std::span(content)), journal.native());
  content.resize(got);
  return content;
}

/// Whether the journal is about this very file, as it lies between the insertion and the end of the write.
bool is_unfinished(std::string_view content, int descriptor, const std::string& path) {
  if (content.size() < kHeadAt + kWord || !content.starts_with(kMagic)) return false;
  const struct stat status = status_of(descriptor, path);
  if (load_le<std::uint64_t>(content.data() + kWord) != status.st_ino) return false;
  if (load_le<std::uint64_t>(content.data() + 2 * kWord) != static_cast<std::uint64_t>(status.st_size))
    return false;
  std::array<std::byte, kWord> front{};
  read_until_end(descriptor, 0, front, path);
  return std::ranges::all_of(front, [](std::byte byte) { return byte == std::byte{0}; });
}

/// Nobody else has the file open while this lives: neither now, which the kernel checks, nor from now on,
/// since it makes who opens it wait. A mapping counts as open.
class SoleOpener {
 public:
  explicit SoleOpener(int descriptor) : descriptor_(descriptor) {
    // Somebody who waits is announced by a signal that ends no process, unlike the usual one.
    alone_ = ::fcntl(descriptor, F_SETSIG, SIGURG) == 0 && ::fcntl(descriptor, F_SETLEASE, F_WRLCK) == 0;
  }
  SoleOpener(const SoleOpener&) = delete;
  SoleOpener& operator=(const SoleOpener&) = delete;
  ~SoleOpener() {
    if (alone_) ::fcntl(descriptor_, F_SETLEASE, F_UNLCK);
  }
  [[nodiscard]] bool is_alone() const noexcept { return alone_; }

 private:
  int descriptor_;
  bool alone_ = false;
};

}  // namespace

void finish_insertion(const std::filesystem::path& path, int descriptor) {
  const std::filesystem::path journal = journal_of(path);
  const auto content = read_journal(journal);
  if (!content) return;
  if (is_unfinished(*content, descriptor, path.native())) {
    write_head(descriptor, std::string_view(*content).substr(kHeadAt), Durability::Full, path.native());
  }
  ::unlink(journal.c_str());
}

std::uint64_t insertable_bytes(int descriptor, std::uint64_t least) {
  struct statfs status{};
  const std::uint64_t block = ::fstatfs(descriptor, &status) == 0 && status.f_bsize > 0
                                  ? static_cast<std::uint64_t>(status.f_bsize)
                                  : 4096;
  return (least + block - 1) / block * block;
}

bool insert_head(const std::filesystem::path& path, int descriptor, std::uint64_t old_head,
                 std::string_view head, Durability durability) {
  const struct stat status = status_of(descriptor, path.native());
  const SoleOpener sole(descriptor);
  if (status.st_nlink != 1 || !sole.is_alone()) return false;
  const std::uint64_t inserted = head.size() - old_head;
  const std::filesystem::path journal = journal_of(path);
  write_journal(journal, status.st_ino, static_cast<std::uint64_t>(status.st_size) + inserted, head,
                durability);
  const bool done = ::fallocate(descriptor, FALLOC_FL_INSERT_RANGE, 0, static_cast<off_t>(inserted)) == 0;
  if (done) write_head(descriptor, head, durability, path.native());
  ::unlink(journal.c_str());
  return done;
}

}  // namespace weighbridge::io
