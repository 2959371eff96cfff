#include "convert/numbers.hpp"

#include <bit>

#include "base/endian.hpp"
#include "core/floats.hpp"

namespace weighbridge {
namespace {

/// What one number of a tensor of that dtype is.
DType number_type(DType dtype) {
  if (dtype == DType::C64) return DType::F32;
  return dtype == DType::F6_E2M3 || dtype == DType::F6_E3M2 ? DType::U8 : dtype;
}

template <class T>
void widen(std::span<const std::byte> in, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<double>(load_le<T>(in.data() + i * sizeof(T)));
  }
}

void widen_integers(DType dtype, std::span<const std::byte> in, std::span<double> out) {
  switch (dtype) {
    case DType::I8:
      return widen<std::int8_t>(in, out);
    case DType::I16:
      return widen<std::int16_t>(in, out);
    case DType::U16:
      return widen<std::uint16_t>(in, out);
    case DType::I32:
      return widen<std::int32_t>(in, out);
    case DType::U32:
      return widen<std::uint32_t>(in, out);
    case DType::I64:
      return widen<std::int64_t>(in, out);
    case DType::U64:
      return widen<std::uint64_t>(in, out);
    default:
      return widen<std::uint8_t>(in, out);
  }
}

}  // namespace

NumberReader::NumberReader(const TensorEntry& tensor)
    : tensor_(tensor),
      runs_(tensor_runs(tensor)),
      dtype_(number_type(tensor.spec.dtype)),
      count_(runs_.total_bytes * 8 / bit_width(dtype_)) {}

void NumberReader::read(std::uint64_t first, std::span<double> out) {
  bytes_.resize((out.size() * bit_width(dtype_) + 7) / 8);
  read_runs(*tensor_.data.source, runs_, tensor_.data.transform, first * bit_width(dtype_) / 8, bytes_);
  if (dtype_ == DType::F64) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = std::bit_cast<double>(load_le<std::uint64_t>(bytes_.data() + i * 8));
    }
  } else if (is_real_float(dtype_)) {
    floats_.resize(out.size());
    decode_floats(dtype_, bytes_, floats_);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(floats_[i]);
  } else {
    widen_integers(dtype_, bytes_, out);
  }
}

}  // namespace weighbridge
