// A hash of names whose collisions nobody can prepare: its key is random.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weighbridge {

/// Sixteen bytes at a time are mixed in by a multiplication whose 128 bits are folded to 64, as the maps
/// of several language runtimes do. Which names collide depends on the key, which a file cannot know.
class NameHash {
 public:
  /// The key is random, and the same for the life of the process.
  NameHash() noexcept;

  /// Equal names have equal hashes.
  [[nodiscard]] std::uint32_t operator()(std::string_view name) const noexcept;

 private:
  std::array<std::uint64_t, 2> key_{};
};

}  // namespace weighbridge
