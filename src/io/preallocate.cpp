#include "io/preallocate.hpp"

#include <cerrno>

#include <weighbridge/error.hpp>

#include <fcntl.h>

namespace weighbridge::io {

bool preallocate(int descriptor, std::uint64_t bytes, const std::string& path) {
  if (bytes == 0) return true;
  int failed = 0;
  do {
    failed = ::fallocate(descriptor, 0, 0, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  } while (failed == EINTR);
  if (failed == ENOSPC || failed == EFBIG || failed == EDQUOT) throw Error::from_errno(failed, "write", path);
  return failed == 0;
}

}  // namespace weighbridge::io
