// .npy files: one array, with a header that says what it is.
#pragma once

#include <cstdint>
#include <memory>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/checkpoint.hpp>
#include <weighbridge/limits.hpp>

#include "formats/numpy/array.hpp"

namespace weighbridge::numpy {

/// What the header says, and where the data starts.
struct NpyHeader {
  std::shared_ptr<const DataType> type;
  Shape shape;
  Order order = Order::RowMajor;
  std::uint64_t data_offset = 0;
};

/// Whether the file starts with the magic bytes.
bool looks_like_npy(const ByteSource& source);

/// Versions 1.0, 2.0 and 3.0. Throws MalformedCheckpoint, Unsupported for other versions and unknown
/// dtypes, LimitExceeded for a header of more than 64 KiB.
NpyHeader parse_npy_header(const ByteSource& source);

/// Gives an array of raw bytes the type that the policy takes them for; leaves every other as it is.
/// Throws Unsupported for raw bytes that are no BF16.
void resolve_void(NpyHeader& header, VoidPolicy policy);

/// The array of a file without objects, whose data follows the header. Bytes behind the data are no
/// matter. Throws MalformedCheckpoint when it is short.
Array npy_array(const NpyHeader& header, SourcePtr source, const Limits& limits);

}  // namespace weighbridge::numpy
