#include <weighbridge/error.hpp>
#include <weighbridge/tensor.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/checked.hpp"

namespace weighbridge {

std::uint64_t element_count(std::span<const std::uint64_t> shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) {
    const auto product = checked_mul(count, size);
    if (!product) {
      throw Error(ErrorCode::ValidationOverflow,
                  fmt::format("shape {} has more than 2^64 elements", shape_text(shape)));
    }
    count = *product;
  }
  return count;
}

std::uint64_t byte_size(DType dtype, std::span<const std::uint64_t> shape) {
  const auto bits = checked_mul(element_count(shape), bit_width(dtype));
  if (!bits) {
    throw Error(ErrorCode::ValidationOverflow,
                fmt::format("{} {} has more than 2^64 bits", dtype_name(dtype), shape_text(shape)));
  }
  if (*bits % 8 != 0) {
    throw Error(ErrorCode::MisalignedSlice, fmt::format("{} {} is {} bits, which is no whole number of bytes",
                                                        dtype_name(dtype), shape_text(shape), *bits));
  }
  return *bits / 8;
}

std::string shape_text(std::span<const std::uint64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace weighbridge
