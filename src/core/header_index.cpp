#include "core/header_index.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "base/endian.hpp"

namespace weighbridge {
namespace {

using Words = std::span<std::uint64_t>;

constexpr std::uint64_t kHashMask = ~std::uint64_t{UINT32_MAX};

constexpr std::size_t position_of(std::uint64_t word) noexcept { return word & UINT32_MAX; }

// SipHash-1-3 with a fixed key: fast, and nobody makes many names collide without great effort.
class NameHash {
 public:
  static std::uint64_t of(std::string_view name) noexcept {
    NameHash hash;
    std::size_t at = 0;
    for (; name.size() - at >= 8; at += 8) hash.absorb(load_le<std::uint64_t>(name.data() + at));
    std::array<char, 8> last{};
    std::memcpy(last.data(), name.data() + at, name.size() - at);
    last[7] = static_cast<char>(name.size());
    hash.absorb(load_le<std::uint64_t>(last.data()));
    return hash.finish();
  }

 private:
  void absorb(std::uint64_t word) noexcept {
    d_ ^= word;
    round();
    a_ ^= word;
  }

  std::uint64_t finish() noexcept {
    c_ ^= 0xFF;
    for (int i = 0; i < 3; ++i) round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

  void round() noexcept {
    a_ += b_;
    b_ = std::rotl(b_, 13) ^ a_;
    c_ += d_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ = std::rotl(a_, 32) + d_;
    d_ = std::rotl(d_, 21) ^ a_;
    c_ += b_;
    b_ = std::rotl(b_, 17) ^ c_;
    c_ = std::rotl(c_, 32);
  }

  std::uint64_t a_ = 0x736F6D6570736575;
  std::uint64_t b_ = 0x646F72616E646F6D;
  std::uint64_t c_ = 0x6C7967656E657261;
  std::uint64_t d_ = 0x7465646279746573;
};

std::uint64_t hash_word(std::string_view name) noexcept { return NameHash::of(name) & kHashMask; }

// Calls `visit` with every run of words whose hashes are equal.
template <typename Visit>
void for_each_collision(Words words, Visit&& visit) {
  for (std::size_t from = 0; from < words.size();) {
    std::size_t to = from + 1;
    while (to < words.size() && ((words[to] ^ words[from]) & kHashMask) == 0) ++to;
    if (to - from > 1) visit(words.subspan(from, to - from));
    from = to;
  }
}

void report_duplicate(const Header::Data& data, std::uint64_t a, std::uint64_t b, HeaderReport& report) {
  const std::uint64_t at_a = file_offset(data.tensors[position_of(a)].name);
  const std::uint64_t at_b = file_offset(data.tensors[position_of(b)].name);
  report.error(ErrorCode::DuplicateKey, data.name(position_of(a)), std::max(at_a, at_b), [=] {
    return fmt::format("the name stands twice, first at header byte {}", std::min(at_a, at_b));
  });
}

// Puts names of one hash in order. Equal names are in order already, so a header that repeats one
// name costs one pass.
void settle_collision(Words run, const Header::Data& data, HeaderReport& report) {
  const auto name_of = [&data](std::uint64_t word) { return data.name(position_of(word)); };
  if (!std::ranges::is_sorted(run, {}, name_of)) std::ranges::sort(run, {}, name_of);
  for (std::size_t i = 1; i < run.size(); ++i) {
    if (name_of(run[i - 1]) == name_of(run[i])) report_duplicate(data, run[i - 1], run[i], report);
  }
}

}  // namespace

void build_name_index(Header::Data& data, HeaderReport& report) {
  data.name_index.reserve(data.tensors.size());
  for (std::size_t i = 0; i < data.tensors.size(); ++i) {
    data.name_index.push_back(hash_word(data.name(i)) | i);
  }
  std::ranges::sort(data.name_index);
  for_each_collision(data.name_index, [&](Words run) { settle_collision(run, data, report); });
}

std::optional<std::size_t> find_name(const Header::Data& data, std::string_view name) noexcept {
  const std::uint64_t hash = hash_word(name);
  const auto before = [&](std::uint64_t word, std::string_view wanted) {
    if ((word & kHashMask) != hash) return word < hash;
    return data.name(position_of(word)) < wanted;
  };
  const auto found = std::lower_bound(data.name_index.begin(), data.name_index.end(), name, before);
  if (found == data.name_index.end() || data.name(position_of(*found)) != name) return std::nullopt;
  return position_of(*found);
}

}  // namespace weighbridge
