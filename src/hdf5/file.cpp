#include "hdf5/file.hpp"

#include <utility>

#include "hdf5/driver.hpp"
#include "hdf5/failure.hpp"

namespace weighbridge::hdf5 {
namespace {

// Structures are read once, but for the few that fall out of libhdf5's cache.
constexpr std::uint64_t kReadings = 16;
constexpr std::uint64_t kReadingsFloor = std::uint64_t{64} << 20;

Handle open(File::State& state) {
  const Handle access = checked(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "the file", {});
  use_driver(access.get(), state);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  return {H5Fopen(kDriverFileName, H5F_ACC_RDONLY, access.get()), H5Fclose};
}

/// What the superblock says; nobody writes anything but 8.
std::size_t length_bytes_of(hid_t file) {
  const Handle creation = checked(H5Fget_create_plist(file), H5Pclose, "the file", {});
  std::size_t address_bytes = 0;
  std::size_t length_bytes = 0;
  if (H5Pget_sizes(creation.get(), &address_bytes, &length_bytes) < 0) throw Error(failure("the file"));
  return length_bytes;
}

}  // namespace

File::File(SourcePtr source) {
  state_.bytes_left = kReadingsFloor + kReadings * std::min<std::uint64_t>(source->size(), UINT64_MAX / 64);
  state_.source = std::move(source);
  file_ = open(state_);
  rethrow();
  if (!file_) throw Error(failure("the file"));
  state_.length_bytes = length_bytes_of(file_.get());
}

File::~File() = default;

void File::rethrow() {
  if (state_.error) std::rethrow_exception(std::exchange(state_.error, nullptr));
}

}  // namespace weighbridge::hdf5
