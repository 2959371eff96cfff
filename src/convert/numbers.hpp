// The numbers of a tensor of any dtype, a stretch at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge {

/// One thread. Borrows the tensor.
class NumberReader {
 public:
  explicit NumberReader(const TensorEntry& tensor);

  /// Real numbers: a complex one is two; of types whose packing is not agreed on, each byte is one.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  /// Reads `out.size()` numbers from `first` on, both even unless the end is reached; 64-bit integers are
  /// rounded to double.
  void read(std::uint64_t first, std::span<double> out);

  /// The bytes that the last read() was made of.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  const TensorEntry& tensor_;
  ByteRuns runs_;
  DType dtype_;  ///< Of one number.
  std::uint64_t count_;
  std::vector<std::byte> bytes_;
  std::vector<float> floats_;
};

}  // namespace weighbridge
