// A raw deflate stream being decoded: zlib's state with an owner, which can be copied midway.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

struct z_stream_s;  // NOLINT(readability-identifier-naming): zlib's own name

namespace weighbridge::zip {

/// What one step of decoding did.
struct InflateStep {
  std::size_t consumed = 0;  ///< Bytes taken from the input.
  std::size_t produced = 0;  ///< Bytes written to the output.
  bool ended = false;        ///< The stream is complete.
  std::string_view damage;   ///< Why the stream cannot be decoded; empty when it can.
};

/// Knows no offsets and keeps no input: about 40 KiB of state and history. A copy goes on from the
/// same point on its own. One thread. Throws std::bad_alloc only.
class Inflater {
 public:
  Inflater();
  Inflater(const Inflater& other);
  Inflater& operator=(const Inflater& other);
  Inflater(Inflater&&) noexcept = default;
  Inflater& operator=(Inflater&&) noexcept = default;
  ~Inflater() = default;

  /// Decodes until the input is used up, the output is full, or the stream ends.
  InflateStep step(std::span<const std::byte> in, std::span<std::byte> out);

 private:
  struct End {
    void operator()(z_stream_s* stream) const noexcept;
  };

  std::unique_ptr<z_stream_s, End> stream_;
};

}  // namespace weighbridge::zip
