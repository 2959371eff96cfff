#include "core/header_index.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include <fmt/format.h>

namespace weighbridge {
namespace {

constexpr std::size_t kSlotsPerTensor = 2;
constexpr std::size_t kAhead = 16;

// How the bits of a slot are shared, for so many tensors.
class SlotBits {
 public:
  explicit SlotBits(std::size_t tensors) noexcept
      : place_bits_(static_cast<unsigned>(std::bit_width(tensors))) {}

  [[nodiscard]] std::uint32_t slot_of(std::uint32_t hash, std::size_t position) const noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{hash} << place_bits_ | (position + 1));
  }
  [[nodiscard]] std::size_t position_of(std::uint32_t slot) const noexcept {
    return (slot & ((std::uint64_t{1} << place_bits_) - 1)) - 1;
  }
  [[nodiscard]] bool may_have(std::uint32_t slot, std::uint32_t hash) const noexcept {
    return ((slot ^ std::uint64_t{hash} << place_bits_) & UINT32_MAX) >> place_bits_ == 0;
  }

 private:
  unsigned place_bits_;
};

std::size_t first_slot(const Header::Data& data, std::uint32_t hash) noexcept {
  return (std::uint64_t{hash} * data.name_index.size()) >> 32;
}

// Where the name stands in the index, or the free slot where it belongs. REQUIRES: a free slot.
std::size_t find_slot(const Header::Data& data, std::string_view name, std::uint32_t hash) noexcept {
  const auto& slots = data.name_index;
  const SlotBits bits(data.tensors.size());
  std::size_t at = first_slot(data, hash);
  while (slots[at] != 0 &&
         !(bits.may_have(slots[at], hash) && data.name(bits.position_of(slots[at])) == name)) {
    if (++at == slots.size()) at = 0;
  }
  return at;
}

// Brings the place of a later name near, so that the search for it does not wait for memory.
void prefetch_slot(const Header::Data& data, std::span<const TensorRecord> tensors, std::size_t i) noexcept {
  if (i < tensors.size()) __builtin_prefetch(&data.name_index[first_slot(data, tensors[i].name_hash)]);
}

void report_duplicate(const Header::Data& data, std::size_t a, std::size_t b, HeaderReport& report) {
  const std::uint64_t at_a = file_offset(data.tensors[a]);
  const std::uint64_t at_b = file_offset(data.tensors[b]);
  report.error(ErrorCode::DuplicateKey, data.name(a), std::max(at_a, at_b), [=] {
    return fmt::format("the name stands twice, first at header byte {}", std::min(at_a, at_b));
  });
}

}  // namespace

void build_name_index(Header::Data& data, HeaderReport& report) {
  const std::span<const TensorRecord> tensors(data.tensors);
  const SlotBits bits(tensors.size());
  data.name_index.assign(kSlotsPerTensor * tensors.size(), 0);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorRecord& tensor = tensors[i];
    prefetch_slot(data, tensors, i + kAhead);
    std::uint32_t* slot = &data.name_index[first_slot(data, tensor.name_hash)];
    if (*slot != 0) slot = &data.name_index[find_slot(data, data.view(tensor.name), tensor.name_hash)];
    if (*slot != 0) report_duplicate(data, bits.position_of(*slot), i, report);
    *slot = bits.slot_of(tensor.name_hash, i);
  }
}

std::optional<std::size_t> find_name(const Header::Data& data, std::string_view name) noexcept {
  if (data.name_index.empty()) return std::nullopt;
  const std::uint32_t slot = data.name_index[find_slot(data, name, data.name_hash(name))];
  if (slot == 0) return std::nullopt;
  return SlotBits(data.tensors.size()).position_of(slot);
}

}  // namespace weighbridge
