// A source whose bytes stand nowhere and are made when they are read.
#pragma once

#include <cstdint>
#include <span>

#include <weighbridge/byte_source.hpp>

namespace weighbridge {

/// A source that is made in units of some bytes, each wholly or not at all. It holds no unit: reading
/// costs a buffer of bounded size, whatever the size of the source.
class ComputedSource : public ByteSource {
 public:
  ComputedSource(std::uint64_t bytes, std::uint64_t unit_bytes) : bytes_(bytes), unit_bytes_(unit_bytes) {}

  [[nodiscard]] std::uint64_t size() const final { return bytes_; }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const final;

 private:
  /// Fills `out`, which is whole units from `first` on. Called by several threads at once.
  virtual void make(std::uint64_t first, std::span<std::byte> out) const = 0;

  std::uint64_t bytes_;
  std::uint64_t unit_bytes_;
};

}  // namespace weighbridge
