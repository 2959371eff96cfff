// Header messages and object headers of new HDF5 files, as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <weighbridge/dtype.hpp>
#include <weighbridge/tensor.hpp>

#include "base/endian.hpp"

namespace weighbridge::hdf5 {

inline constexpr std::uint64_t kUndefined = UINT64_MAX;

/// Appends fields of fixed width, little-endian.
class Fields {
 public:
  Fields& u8(std::uint64_t value) { return add(static_cast<std::uint8_t>(value)); }
  Fields& u16(std::uint64_t value) { return add(static_cast<std::uint16_t>(value)); }
  Fields& u32(std::uint64_t value) { return add(static_cast<std::uint32_t>(value)); }
  Fields& u64(std::uint64_t value) { return add(value); }
  Fields& text(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  Fields& zeros(std::size_t count) {
    bytes_.append(count, '\0');
    return *this;
  }
  /// Zeros up to a multiple of 8.
  Fields& pad() { return zeros((8 - bytes_.size() % 8) % 8); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  std::string take() { return std::move(bytes_); }

 private:
  template <typename T>
  Fields& add(T value) {
    char field[sizeof(T)];
    store_le(field, value);
    bytes_.append(field, sizeof field);
    return *this;
  }

  std::string bytes_;
};

/// Whether HDF5 has a common type for it.
[[nodiscard]] bool has_datatype(DType dtype) noexcept;

/// Throws Unsupported, naming the tensor.
std::string datatype(const TensorSpec& tensor);

struct DatasetPlace {
  std::uint64_t data = 0;   ///< Where its data lie ...
  std::uint64_t heap = 0;   ///< ... and heap_of_names().
  std::uint32_t links = 1;  ///< To its header.
};

/// The object header of a dataset.
std::string dataset_header(const TensorSpec& tensor, const DatasetPlace& place);
/// Its size, which does not depend on the addresses.
std::uint64_t dataset_header_bytes(const TensorSpec& tensor);

/// The object header of a group.
std::string group_header(std::uint64_t tree, std::uint64_t names);
inline constexpr std::uint64_t kGroupHeaderBytes = 40;

/// The one global heap, with the text "bfloat16", which Keras expects at the datasets that are that.
std::string heap_of_names();
inline constexpr std::uint64_t kHeapBytes = 4096;

}  // namespace weighbridge::hdf5
