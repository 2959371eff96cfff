// Places in a compressed stream from which decoding can go on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "formats/compressed/decoder.hpp"

namespace weighbridge::compressed {

/// The smallest distance between two waypoints.
constexpr std::uint64_t kSpan = std::uint64_t{4} << 20;

/// A decoder at one place of its stream.
struct Cursor {
  std::unique_ptr<Decoder> decoder = {};
  std::uint64_t compressed_offset = 0;
  std::uint64_t offset = 0;  ///< In the content.

  /// REQUIRES: the decoder can be cloned.
  [[nodiscard]] Cursor clone() const { return {decoder->clone(), compressed_offset, offset}; }
};

/// Copies of a cursor, in the order of the stream. Both the distance in the content and that in
/// the compressed data count, so that neither long runs nor empty blocks make a gap costly. When
/// there are 200, every second one is dropped, and they stand twice as far apart from then on.
/// Holds nothing when the decoder cannot be copied. One thread.
class Waypoints {
 public:
  /// Keeps a copy of the cursor if it is far enough behind the last one kept.
  void consider(const Cursor& cursor);

  /// The last point that is not behind `offset`, or null.
  [[nodiscard]] const Cursor* find_before(std::uint64_t offset) const;

 private:
  void thin_out();

  std::uint64_t span_ = kSpan;
  std::vector<Cursor> points_;
};

}  // namespace weighbridge::compressed
