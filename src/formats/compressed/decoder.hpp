// A compressed stream being decoded piece by piece, whatever the codec.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace weighbridge::compressed {

/// What one step of decoding did.
struct DecodeStep {
  std::size_t consumed = 0;      ///< Bytes taken from the input.
  std::size_t produced = 0;      ///< Bytes written to the output.
  bool ended = false;            ///< The stream is complete.
  bool over_limit = false;       ///< Decoding would take more memory than is given to it.
  std::string_view damage = {};  ///< Why the stream cannot be decoded; empty when it can.
};

/// Knows no offsets and keeps no input. One thread. Throws std::bad_alloc only.
class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  /// Decodes until the input is used up, the output is full, or the stream ends. `last` says that
  /// nothing follows `in`; once it was said, the rest of the same input is given until the end.
  /// REQUIRES: `out` is not empty.
  virtual DecodeStep step(std::span<const std::byte> in, std::span<std::byte> out, bool last) = 0;

  /// A decoder that goes on from the same point on its own, or null when the codec has no such way.
  [[nodiscard]] virtual std::unique_ptr<Decoder> clone() const { return nullptr; }
};

using DecoderFactory = std::function<std::unique_ptr<Decoder>()>;

}  // namespace weighbridge::compressed
