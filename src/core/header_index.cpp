#include "core/header_index.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace weighbridge {
namespace {

constexpr std::size_t kSlotsPerTensor = 2;
constexpr std::size_t kAhead = 16;

constexpr std::uint64_t slot_of(std::uint32_t hash, std::size_t position) noexcept {
  return std::uint64_t{hash} << 32 | (position + 1);
}
constexpr std::size_t position_of(std::uint64_t slot) noexcept { return (slot & UINT32_MAX) - 1; }
constexpr bool has_hash(std::uint64_t slot, std::uint32_t hash) noexcept { return slot >> 32 == hash; }

std::size_t first_slot(const Header::Data& data, std::uint32_t hash) noexcept {
  return (hash * data.name_index.size()) >> 32;
}

// Where the name stands in the index, or the free slot where it belongs. REQUIRES: a free slot.
std::size_t find_slot(const Header::Data& data, std::string_view name, std::uint32_t hash) noexcept {
  const auto& slots = data.name_index;
  std::size_t at = first_slot(data, hash);
  while (slots[at] != 0 && !(has_hash(slots[at], hash) && data.name(position_of(slots[at])) == name)) {
    if (++at == slots.size()) at = 0;
  }
  return at;
}

// Brings the place of a later name near, so that the search for it does not wait for memory.
void prefetch_slot(const Header::Data& data, std::size_t i) noexcept {
  if (i < data.tensors.size())
    __builtin_prefetch(&data.name_index[first_slot(data, data.tensors[i].name_hash)]);
}

void report_duplicate(const Header::Data& data, std::size_t a, std::size_t b, HeaderReport& report) {
  const std::uint64_t at_a = file_offset(data.tensors[a].name);
  const std::uint64_t at_b = file_offset(data.tensors[b].name);
  report.error(ErrorCode::DuplicateKey, data.name(a), std::max(at_a, at_b), [=] {
    return fmt::format("the name stands twice, first at header byte {}", std::min(at_a, at_b));
  });
}

}  // namespace

void build_name_index(Header::Data& data, HeaderReport& report) {
  data.name_index.assign(kSlotsPerTensor * data.tensors.size(), 0);
  for (std::size_t i = 0; i < data.tensors.size(); ++i) {
    const TensorRecord& tensor = data.tensors[i];
    prefetch_slot(data, i + kAhead);
    std::uint64_t& slot = data.name_index[find_slot(data, data.view(tensor.name), tensor.name_hash)];
    if (slot != 0) report_duplicate(data, position_of(slot), i, report);
    slot = slot_of(tensor.name_hash, i);
  }
}

std::optional<std::size_t> find_name(const Header::Data& data, std::string_view name) noexcept {
  if (data.name_index.empty()) return std::nullopt;
  const std::uint64_t slot = data.name_index[find_slot(data, name, data.name_hash(name))];
  if (slot == 0) return std::nullopt;
  return position_of(slot);
}

}  // namespace weighbridge
