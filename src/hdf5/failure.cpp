#include "hdf5/failure.hpp"

#include <string>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

namespace weighbridge::hdf5 {
namespace {

/// The first of a walk upwards is where it began. No exception may pass through libhdf5.
herr_t note_reason(unsigned number, const H5E_error2_t* entry, void* data) noexcept {
  if (number == 0 && entry->desc != nullptr) {
    try {
      *static_cast<std::string*>(data) = entry->desc;
    } catch (...) {
      return -1;
    }
  }
  return 0;
}

std::string take_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_reason, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? "no reason is given" : printable(reason);
}

}  // namespace

void silence() noexcept { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Error failure(std::string_view what, std::string_view path) {
  const std::string subject(path);
  const std::string where = path.empty() ? "" : fmt::format(" of '{}'", printable(path));
  return {ErrorCode::MalformedCheckpoint,
          fmt::format("the HDF5 file is damaged: {}{} cannot be read ({})", what, where, take_reason()),
          subject};
}

Handle checked(hid_t id, Handle::Close close, std::string_view what, std::string_view path) {
  if (id < 0) throw Error(failure(what, path));
  return {id, close};
}

}  // namespace weighbridge::hdf5
