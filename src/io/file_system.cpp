#include "io/file_system.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

#include <weighbridge/error.hpp>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/text.hpp"

namespace weighbridge::io {
namespace {

// f_type of statfs(2). Most of these have no name in the system's headers.
constexpr std::array<std::uint32_t, 14> kRemote = {
    0x00006969,  // NFS
    0x0000517B,  // SMB
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB2
    0x65735546,  // FUSE
    0x01021997,  // 9p
    0x0BD00BD0,  // Lustre
    0x00C36400,  // Ceph
    0x47504653,  // GPFS
    0x5346414F,  // AFS (OpenAFS)
    0x6B414653,  // AFS (in the kernel)
    0x73757245,  // Coda
    0x19830326,  // BeeGFS
    0x20030528,  // OrangeFS
};

constexpr std::uint32_t kExt = 0x0000EF53;  // ext2, ext3 and ext4

std::string_view kind_of(mode_t mode) noexcept {
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISCHR(mode)) return "a character device";
  if (S_ISBLK(mode)) return "a block device";
  if (S_ISSOCK(mode)) return "a socket";
  return "no file of bytes";
}

}  // namespace

void require_regular(mode_t mode, std::string_view path) {
  if (S_ISREG(mode)) return;
  if (S_ISDIR(mode)) throw Error::from_errno(EISDIR, "use", path);
  throw Error(ErrorCode::IoError,
              fmt::format("'{}' is {}, a regular file is needed", printable(path), kind_of(mode)),
              std::string(path));
}

bool is_local(int descriptor) noexcept {
  struct statfs status{};
  if (::fstatfs(descriptor, &status) != 0) return false;
  return std::ranges::find(kRemote, static_cast<std::uint32_t>(status.f_type)) == kRemote.end();
}

bool may_share_blocks(int descriptor) noexcept {
  struct statfs status{};
  return ::fstatfs(descriptor, &status) != 0 || static_cast<std::uint32_t>(status.f_type) != kExt;
}

}  // namespace weighbridge::io
