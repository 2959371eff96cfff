// A hash of names whose collisions nobody can prepare: its key is random.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/endian.hpp"

namespace weighbridge {

/// Sixteen bytes at a time are mixed in by a multiplication whose 128 bits are folded to 64, as the maps
/// of several language runtimes do. Which names collide depends on the key, which a file cannot know.
class NameHash {
 public:
  /// The key is random, and the same for the life of the process.
  NameHash() noexcept;

  /// Equal names have equal hashes.
  [[nodiscard]] std::uint32_t operator()(std::string_view name) const noexcept {
    std::uint64_t hash = key_[0] ^ name.size();
    const char* at = name.data();
    const char* end = at + name.size();
    for (; end - at > 16; at += 16) hash = mix(hash ^ word_at(at), key_[1] ^ word_at(at + 8));
    const auto [first, second] = last_words(name);
    hash = mix(hash ^ first, key_[1] ^ second);
    return static_cast<std::uint32_t>(mix(hash, key_[0]) >> 32);
  }

 private:
  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  static std::uint64_t word_at(const char* at) noexcept { return load_le<std::uint64_t>(at); }

  // The last 16 bytes, or fewer where there are no more. Some may be in the hash already, or be in both
  // words: the size, which is in the hash too, tells which.
  static std::pair<std::uint64_t, std::uint64_t> last_words(std::string_view name) noexcept {
    const char* start = name.data();
    const char* end = start + name.size();
    if (name.size() >= 16) return {word_at(end - 16), word_at(end - 8)};
    if (name.size() >= 8) return {word_at(start), word_at(end - 8)};
    if (name.size() >= 4) return {load_le<std::uint32_t>(start), load_le<std::uint32_t>(end - 4)};
    std::uint64_t word = 0;
    for (const char c : name) word = word << 8 | static_cast<unsigned char>(c);
    return {word, 0};
  }

  std::array<std::uint64_t, 2> key_{};
};

}  // namespace weighbridge
