#include "hdf5/driver.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>

#include <weighbridge/error.hpp>

#include "base/checked.hpp"
#include "hdf5/global_heap.hpp"

namespace weighbridge::hdf5 {
namespace {

/// What the driver keeps for an open file; libhdf5 knows the first member alone.
struct Driven {
  H5FD_t common;
  File::State* state;
  haddr_t end_of_space;
};

Driven* driven(H5FD_t* file) { return reinterpret_cast<Driven*>(file); }
const Driven* driven(const H5FD_t* file) { return reinterpret_cast<const Driven*>(file); }

/// Files that a file names (external links and the like) come through here as well.
H5FD_t* open_driven(const char* name, unsigned flags, hid_t access, haddr_t /*most*/) noexcept {
  if (std::strcmp(name, kDriverFileName) != 0 || (flags & H5F_ACC_RDWR) != 0) return nullptr;
  const void* info = H5Pget_driver_info(access);
  if (info == nullptr) return nullptr;
  auto* file = new (std::nothrow) Driven{};
  if (file == nullptr) return nullptr;
  file->state = *static_cast<File::State* const*>(info);
  return &file->common;
}

herr_t close_driven(H5FD_t* file) noexcept {
  delete driven(file);
  return 0;
}

/// Nothing that is optional: every read is a plain one.
herr_t query_driven(const H5FD_t* /*file*/, unsigned long* flags) noexcept {
  if (flags != nullptr) *flags = 0;
  return 0;
}

haddr_t end_of_space(const H5FD_t* file, H5FD_mem_t /*type*/) noexcept { return driven(file)->end_of_space; }

herr_t set_end_of_space(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t end) noexcept {
  driven(file)->end_of_space = end;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t /*type*/) noexcept {
  return driven(file)->state->source->size();
}

/// Behind the end there are zeros, as in libhdf5's own drivers.
void read_padded(const ByteSource& source, std::uint64_t at, std::span<std::byte> out) {
  const std::uint64_t size = source.size();
  const std::uint64_t there = at >= size ? 0 : std::min<std::uint64_t>(out.size(), size - at);
  source.read_at(std::min(at, size), out.first(static_cast<std::size_t>(there)));
  std::ranges::fill(out.subspan(static_cast<std::size_t>(there)), std::byte{0});
}

herr_t read_driven(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t at, std::size_t bytes,
                   void* out) noexcept {
  File::State& state = *driven(file)->state;
  try {
    if (bytes > state.bytes_left) {
      throw Error(ErrorCode::LimitExceeded, "the structure of the HDF5 file is read again and again");
    }
    state.bytes_left -= bytes;
    const std::span<std::byte> read(static_cast<std::byte*>(out), bytes);
    read_padded(*state.source, at, read);
    if (starts_global_heap(read)) check_global_heap(*state.source, at, state.length_bytes);
    return 0;
  } catch (...) {
    state.error = std::current_exception();
    return -1;
  }
}

herr_t refuse_write(H5FD_t* /*file*/, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t /*at*/,
                    std::size_t /*bytes*/, const void* /*data*/) noexcept {
  return -1;
}

H5FD_class_t make_class() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 2)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = H5FD_class_value_t{H5_VFD_RESERVED};
#endif
  driver.name = "weighbridge";
  driver.maxaddr = INT64_MAX;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(File::State*);
  driver.open = open_driven;
  driver.close = close_driven;
  driver.query = query_driven;
  driver.get_eoa = end_of_space;
  driver.set_eoa = set_end_of_space;
  driver.get_eof = end_of_file;
  driver.read = read_driven;
  driver.write = refuse_write;
  constexpr H5FD_mem_t kOneMap[H5FD_MEM_NTYPES] = H5FD_FLMAP_SINGLE;
  std::ranges::copy(kOneMap, driver.fl_map);
  return driver;
}

}  // namespace

void use_driver(hid_t access, File::State& state) {
  static const H5FD_class_t kDriver = make_class();
  const Handle driver(H5FDregister(&kDriver), H5FDunregister);
  File::State* info = &state;
  if (!driver || H5Pset_driver(access, driver.get(), static_cast<const void*>(&info)) < 0)
    throw std::bad_alloc();
}

}  // namespace weighbridge::hdf5
