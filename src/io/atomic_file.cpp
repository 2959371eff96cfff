#include "io/atomic_file.hpp"

#include <cerrno>
#include <cstdio>

#include <weighbridge/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/text.hpp"
#include "io/file_system.hpp"

namespace weighbridge::io {
namespace {

constexpr mode_t kNewFileMode = 0666;      // less the umask
constexpr mode_t kReplacementMode = 0600;  // until it has the mode of the old file
constexpr int kMostLinks = 40;             // as many as the kernel follows
constexpr int kMostNames = 100;

/// The path at the end of a chain of symbolic links, which need not exist.
std::filesystem::path follow_links(std::filesystem::path path) {
  for (int i = 0; i < kMostLinks; ++i) {
    std::error_code failure;
    if (!std::filesystem::is_symlink(path, failure)) return path;
    path = path.parent_path() / std::filesystem::read_symlink(path, failure);
    if (failure) throw Error::from_errno(failure.value(), "follow the link", path.native());
  }
  throw Error::from_errno(ELOOP, "write", path.native());
}

std::string random_name() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number)
    throw Error::from_errno(errno, "name", "a file");
  return fmt::format(".weighbridge-{:016x}.tmp", number);
}

std::string link_of(int descriptor) { return fmt::format("/proc/self/fd/{}", descriptor); }

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path, bool overwrite, Temporary kind)
    : path_(path.native()), overwrite_(overwrite) {
  const std::filesystem::path target = follow_links(path);
  const std::filesystem::path parent = target.has_parent_path() ? target.parent_path() : ".";
  name_ = target.filename().native();
  folder_ = Descriptor(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder that may be written to but not listed can still be worked in.
  if (!folder_ && errno == EACCES)
    folder_ = Descriptor(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) throw Error::from_errno(errno, "write", path_);
  if (name_.empty()) throw Error::from_errno(EISDIR, "write", path_);
  examine_target();
  create(kind);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
}

void AtomicFile::examine_target() {
  struct stat status{};
  if (::fstatat(folder_.get(), name_.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return;
    throw Error::from_errno(errno, "examine", path_);
  }
  require_regular(status.st_mode, path_);
  if (!overwrite_) refuse_existing();
  old_ = status;
}

void AtomicFile::create(Temporary kind) {
  if (kind == Temporary::Named || !create_unnamed()) create_named();
  if (old_) take_over_mode();
}

mode_t AtomicFile::first_mode() const noexcept { return old_ ? kReplacementMode : kNewFileMode; }

bool AtomicFile::create_unnamed() {
  file_ = Descriptor(::openat(folder_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, first_mode()));
  // Without /proc the file could not be given a name at the end.
  if (file_ && ::access(link_of(file_.get()).c_str(), F_OK) != 0) file_ = Descriptor();
  return static_cast<bool>(file_);
}

void AtomicFile::create_named() {
  for (int i = 0; i < kMostNames; ++i) {
    std::string name = random_name();
    file_ = Descriptor(
        ::openat(folder_.get(), name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, first_mode()));
    if (file_) {
      temporary_ = std::move(name);
      return;
    }
    if (errno != EEXIST) break;
  }
  throw Error::from_errno(errno, "write", path_);
}

// Owner and group are kept where the system allows it. Rights of a group that could not be kept
// would go to another one, which gets only what everybody has. Bits that give rights to whoever
// runs a file mean nothing on data and are dropped.
void AtomicFile::take_over_mode() const {
  const auto keep_group = [this](uid_t owner) { return ::fchown(file_.get(), owner, old_->st_gid) == 0; };
  const bool group_kept = keep_group(old_->st_uid) || keep_group(static_cast<uid_t>(-1));
  mode_t mode = old_->st_mode & 0777;
  if (!group_kept) mode = (mode & 0707) | ((mode & 07) << 3);
  if (::fchmod(file_.get(), mode) != 0) throw Error::from_errno(errno, "set the mode of", path_);
}

void AtomicFile::remove_old() {
  if (!old_) return;
  if (::unlinkat(folder_.get(), name_.c_str(), 0) != 0 && errno != ENOENT)
    throw Error::from_errno(errno, "replace", path_);
  old_.reset();
}

void AtomicFile::commit(Durability durability) {
  flush(durability);
  if (overwrite_) {
    publish_over();
  } else {
    publish_new();
  }
  temporary_.clear();
  if (durability == Durability::Full) sync_folder();
}

void AtomicFile::flush(Durability durability) const {
  int failed = 0;
  if (durability == Durability::Full) failed = ::fsync(file_.get());
  if (durability == Durability::Data) failed = ::fdatasync(file_.get());
  if (failed != 0) throw Error::from_errno(errno, "write", path_);
  // Network file systems report late write errors when any descriptor of the file is closed.
  const int copy = ::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0);
  if (copy >= 0 && ::close(copy) != 0 && errno != EINTR) throw Error::from_errno(errno, "write", path_);
}

/// Gives the unnamed file a name; false when that name is taken.
bool AtomicFile::link_as(const std::string& name) const {
  if (::linkat(AT_FDCWD, link_of(file_.get()).c_str(), folder_.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0)
    return true;
  if (errno == EEXIST) return false;
  throw Error::from_errno(errno, "write", path_);
}

void AtomicFile::link_as_temporary() {
  for (int i = 0; i < kMostNames; ++i) {
    std::string name = random_name();
    if (link_as(name)) {
      temporary_ = std::move(name);
      return;
    }
  }
  throw Error::from_errno(EEXIST, "write", path_);
}

void AtomicFile::publish_new() {
  if (temporary_.empty()) {
    if (!link_as(name_)) refuse_existing();
    return;
  }
  const int folder = folder_.get();
  if (::renameat2(folder, temporary_.c_str(), folder, name_.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EINVAL || errno == ENOSYS) {  // not known to this file system; links usually are
    if (::linkat(folder, temporary_.c_str(), folder, name_.c_str(), 0) == 0) {
      ::unlinkat(folder, temporary_.c_str(), 0);
      return;
    }
  }
  if (errno == EEXIST) refuse_existing();
  throw Error::from_errno(errno, "write", path_);
}

// Only rename replaces a file in one step, and it needs a name to start from. A process killed
// between the two calls leaves a complete hidden file behind; everything else leaves nothing.
void AtomicFile::publish_over() {
  if (temporary_.empty()) {
    if (!old_ && link_as(name_)) return;
    link_as_temporary();
  }
  if (::renameat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str()) != 0) {
    throw Error::from_errno(errno, "write", path_);
  }
}

void AtomicFile::sync_folder() const {
  const Descriptor folder(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0)
    throw Error::from_errno(errno, "make durable the folder of", path_);
}

void AtomicFile::refuse_existing() const {
  throw Error(ErrorCode::OutputExists, fmt::format("'{}' exists and is not to be replaced", printable(path_)),
              path_);
}

}  // namespace weighbridge::io
