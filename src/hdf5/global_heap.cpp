#include "hdf5/global_heap.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

namespace weighbridge::hdf5 {
namespace {

constexpr std::string_view kStart("GCOL\1\0\0\0", 8);
constexpr std::uint64_t kNumberBytes = 8;  ///< Of both headers, in front of the length.
constexpr std::size_t kLongestLength = 8;

constexpr std::uint64_t align(std::uint64_t size) { return (size + 7) / 8 * 8; }

struct Object {
  bool is_free = false;
  std::uint64_t bytes = 0;
};

class Collection {
 public:
  Collection(const ByteSource& source, std::uint64_t at, std::size_t length_bytes)
      : source_(source),
        at_(at),
        length_bytes_(std::min(length_bytes, kLongestLength)),
        header_bytes_(align(kNumberBytes + length_bytes)),
        bytes_(read_object(at).bytes) {}

  void check() const {
    if (at_ > source_.size() || bytes_ > source_.size() - at_) refuse("leaves the file", at_);
    std::uint64_t offset = header_bytes_;
    // A rest that no object fits into is free without saying so.
    while (offset < bytes_ && bytes_ - offset >= header_bytes_) offset += object_bytes(offset);
  }

 private:
  /// The header of an object and that of the collection have their lengths at the same place.
  [[nodiscard]] Object read_object(std::uint64_t at) const {
    std::array<std::byte, kNumberBytes + kLongestLength> header{};
    if (at > source_.size() || source_.size() - at < header_bytes_) refuse("leaves the file", at);
    source_.read_at(at, std::span(header).first(kNumberBytes + length_bytes_));
    Object object{.is_free = header[0] == std::byte{0} && header[1] == std::byte{0}};
    for (std::size_t i = length_bytes_; i-- > 0;) {
      object.bytes = object.bytes << 8 | std::to_integer<std::uint64_t>(header[kNumberBytes + i]);
    }
    return object;
  }

  /// With its header; that of the free object counts it in.
  [[nodiscard]] std::uint64_t object_bytes(std::uint64_t offset) const {
    const Object object = read_object(at_ + offset);
    const std::uint64_t room = bytes_ - offset;
    const std::uint64_t most = object.is_free ? room : room - header_bytes_;
    if (object.bytes > most) refuse("has an object beyond its end", at_ + offset);
    if (object.is_free && object.bytes < header_bytes_)
      refuse("has a free object without room", at_ + offset);
    return object.is_free ? object.bytes : header_bytes_ + align(object.bytes);
  }

  [[noreturn]] void refuse(std::string_view what, std::uint64_t where) const {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("the global heap of the HDF5 file at byte {} {} (byte {})", at_, what, where), {},
                where);
  }

  const ByteSource& source_;
  std::uint64_t at_;
  std::size_t length_bytes_;
  std::uint64_t header_bytes_;
  std::uint64_t bytes_;
};

}  // namespace

bool starts_global_heap(std::span<const std::byte> bytes) noexcept {
  const auto start = std::as_bytes(std::span(kStart));
  return bytes.size() >= start.size() && std::ranges::equal(bytes.first(start.size()), start);
}

void check_global_heap(const ByteSource& source, std::uint64_t at, std::size_t length_bytes) {
  Collection(source, at, length_bytes).check();
}

}  // namespace weighbridge::hdf5
