// Arrays the way back: .npy and .npz files that numpy.load(allow_pickle=False) and MLX both read.
//
// MLX looks at fixed positions of a header: the dtype at its bytes 11 to 13, the order at byte 34. The
// headers here have that layout, three characters of dtype, and data that starts at a multiple of 64.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge::numpy {

/// What numpy calls the dtype: "<f4"; for BF16 "<V2", as ml_dtypes and MLX have it; empty for F8 and less,
/// which numpy cannot say.
std::string_view find_descr(DType dtype) noexcept;

/// All that stands before the data: magic bytes, version 1.0, and the header, padded to a multiple of 64.
/// REQUIRES: find_descr(dtype) is not empty; at most 255 dimensions.
std::string serialize_npy_head(DType dtype, const Shape& shape);

/// One array as a file. REQUIRES: as serialize_npy_head.
FilePlan plan_npy(const TensorEntry& tensor);

/// An archive of stored entries, `<name>.npy` for each tensor, in their order; no tensor is read before the
/// plan is carried out. Throws Unsupported for a name that no archive entry, or no entry of numpy's, can
/// have. REQUIRES: as serialize_npy_head.
FilePlan plan_npz(std::span<const TensorEntry> tensors);

}  // namespace weighbridge::numpy
