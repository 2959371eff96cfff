#include "hdf5/texts.hpp"

#include <cstdlib>

#include "hdf5/failure.hpp"

namespace weighbridge::hdf5 {
namespace {

constexpr std::uint64_t kMostElements = 4096;
constexpr std::uint64_t kMostFixedBytes = 1 << 20;
constexpr std::size_t kMostVariableBytes = std::size_t{16} << 20;

void read_fixed(hid_t type, std::uint64_t bytes, Dataset& out, Room& room) {
  room.take(bytes, out.path);
  const Buffer buffer = out.source->read(out.offset, bytes);
  const auto all = buffer.bytes();
  const bool spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
  const auto width = static_cast<std::size_t>(out.type.simple.bytes);
  for (std::size_t at = 0; at < all.size(); at += width) {
    out.texts.push_back(trim_text({reinterpret_cast<const char*>(&all[at]), width}, spaces));
  }
  out.has_texts = true;
}

/// Memory for texts of which the file says how long they are.
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    for (void* piece : pieces_) std::free(piece);
  }

  static void* take(std::size_t bytes, void* self) noexcept { return static_cast<Pool*>(self)->take(bytes); }
  static void give_back(void* /*piece*/, void* /*self*/) noexcept {}  // all go together

 private:
  void* take(std::size_t bytes) noexcept {
    if (bytes > left_) return nullptr;
    try {
      pieces_.reserve(pieces_.size() + 1);
    } catch (...) {
      return nullptr;
    }
    void* piece = std::calloc(1, bytes + 1);
    if (piece == nullptr) return nullptr;
    left_ -= bytes;
    pieces_.push_back(piece);
    return piece;
  }

  std::size_t left_ = kMostVariableBytes;
  std::vector<void*> pieces_;
};

void read_variable(hid_t dataset, hid_t type, std::uint64_t count, Dataset& out, Room& room) {
  Pool pool;
  const Handle transfer = checked(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "the strings", out.path);
  H5Pset_vlen_mem_manager(transfer.get(), Pool::take, &pool, Pool::give_back, &pool);
  std::vector<char*> texts(count);
  if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, transfer.get(), texts.data()) < 0) {
    throw Error(failure("the strings", out.path));
  }
  for (const char* text : texts) {
    const std::string_view view = text == nullptr ? "" : text;
    room.take(view.size() + sizeof(std::string), out.path);
    out.texts.emplace_back(view);
  }
  out.has_texts = true;
}

}  // namespace

void read_texts(hid_t dataset, hid_t type, std::uint64_t bytes, Dataset& out, Room& room) {
  const std::uint64_t count = bytes / out.type.simple.bytes;
  if (count == 0 || count > kMostElements) return;
  if (!out.type.variable) {
    if (out.source != nullptr && bytes <= kMostFixedBytes) read_fixed(type, bytes, out, room);
    return;
  }
  if (out.storage != "contiguous" && out.storage != "compact" && out.storage != "chunked") return;
  room.take(count * sizeof(char*), out.path);
  read_variable(dataset, type, count, out, room);
}

}  // namespace weighbridge::hdf5
