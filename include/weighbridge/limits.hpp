// Bounds on what an input may make the library do.
#pragma once

#include <cstdint>

namespace weighbridge {

/// Every bound is checked before memory is taken or work is done; crossing one is
/// ErrorCode::LimitExceeded (the header's own cap is HeaderTooLarge, as in the reference).
/// The defaults admit every real checkpoint known to us; raise one where yours is larger.
struct Limits {
  // safetensors header
  std::uint64_t header_bytes = 100'000'000;    ///< The format's own cap.
  std::uint64_t metadata_entries = 1'000'000;  ///< Keys of __metadata__.
  std::uint32_t rank = 255;                    ///< Dimensions of one tensor.

  // pickles
  std::uint64_t pickle_bytes = std::uint64_t{4} << 30;  ///< One pickle stream.
  std::uint64_t pickle_nodes = 50'000'000;              ///< Values built by one stream.
  std::uint64_t integer_bytes = 1 << 20;                ///< One LONG; 4300 digits in decimal text.
  std::uint32_t walk_depth = 512;                       ///< Containers within containers.
  std::uint32_t archive_depth = 4;                      ///< Streams within streams.

  // checkpoints
  std::uint64_t archive_entries = 2'000'000;
  std::uint64_t inflated_ratio = 200;                     ///< Inflated bytes per compressed byte, ...
  std::uint64_t inflated_floor = std::uint64_t{1} << 30;  ///< ... which only counts above this size.
  std::uint64_t tensors = 5'000'000;
  std::uint64_t name_bytes = 64 * 1024;  ///< One tensor name.
  /// One strided tensor may be this many times larger than the storage bytes that it views ...
  std::uint64_t expansion_ratio = 64;
  std::uint64_t expansion_floor = std::uint64_t{1} << 30;  ///< ... which only counts above this size.
  /// All output; 0 means max(4 x input, input + 1 GiB).
  std::uint64_t output_bytes = 0;
  std::uint64_t sidecar_bytes = std::uint64_t{256} << 20;
  std::uint64_t findings = 1000;  ///< Kept of one kind; the rest are counted.
};

}  // namespace weighbridge
