#include "core/name_hash.hpp"

#include <bit>
#include <cstring>
#include <utility>

#include <sys/auxv.h>

#include "base/endian.hpp"

namespace weighbridge {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word_at(const char* at) noexcept { return load_le<std::uint64_t>(at); }

// The last 16 bytes, or fewer where there are no more. Some may be in the hash already, or be in both
// words: the size, which is in the hash too, tells which.
std::pair<std::uint64_t, std::uint64_t> last_words(std::string_view name) noexcept {
  const char* start = name.data();
  const char* end = start + name.size();
  if (name.size() >= 16) return {word_at(end - 16), word_at(end - 8)};
  if (name.size() >= 8) return {word_at(start), word_at(end - 8)};
  if (name.size() >= 4) return {load_le<std::uint32_t>(start), load_le<std::uint32_t>(end - 4)};
  std::uint64_t word = 0;
  for (const char c : name) word = word << 8 | static_cast<unsigned char>(c);
  return {word, 0};
}

}  // namespace

// The kernel lays 16 random bytes beside the arguments of every program it starts. To read them takes no
// system call, so this works for a worker without rights too. The stack protector uses them as well;
// they are mixed so that the key tells nothing of them.
NameHash::NameHash() noexcept {
  std::array<std::uint64_t, 2> seed = {0x243F6A8885A308D3, 0x13198A2E03707344};  // digits of pi
  const auto* random = std::bit_cast<const void*>(getauxval(AT_RANDOM));
  if (random != nullptr) std::memcpy(seed.data(), random, sizeof seed);
  key_ = {mix(seed[0] ^ 0xA4093822299F31D0, seed[1] ^ 0x082EFA98EC4E6C89),
          mix(seed[0] ^ 0x452821E638D01377, seed[1] ^ 0xBE5466CF34E90C6C)};
}

// Not inline: GCC 12 keeps the halves of the products in memory where registers are rare.
std::uint32_t NameHash::operator()(std::string_view name) const noexcept {
  std::uint64_t hash = key_[0] ^ name.size();
  const char* at = name.data();
  const char* end = at + name.size();
  for (; end - at > 16; at += 16) hash = mix(hash ^ word_at(at), key_[1] ^ word_at(at + 8));
  const auto [first, second] = last_words(name);
  hash = mix(hash ^ first, key_[1] ^ second);
  return static_cast<std::uint32_t>(mix(hash, key_[0]) >> 32);
}

}  // namespace weighbridge
