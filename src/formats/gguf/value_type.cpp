#include "formats/gguf/value_type.hpp"

#include <algorithm>
#include <array>

namespace weighbridge::gguf {
namespace {

struct Row {
  std::string_view name;
  std::uint32_t bytes;
};

constexpr std::array<Row, kValueTypes> kRows = {{
    {"u8", 1},
    {"i8", 1},
    {"u16", 2},
    {"i16", 2},
    {"u32", 4},
    {"i32", 4},
    {"f32", 4},
    {"bool", 1},
    {"str", 0},
    {"array", 0},
    {"u64", 8},
    {"i64", 8},
    {"f64", 8},
}};

const Row& row_of(ValueType type) noexcept { return kRows[static_cast<std::uint32_t>(type)]; }

}  // namespace

std::string_view value_type_name(ValueType type) noexcept { return row_of(type).name; }

std::optional<ValueType> find_value_type(std::string_view name) noexcept {
  const auto found = std::ranges::find(kRows, name, &Row::name);
  if (found == kRows.end()) return std::nullopt;
  return static_cast<ValueType>(found - kRows.begin());
}

std::uint32_t value_bytes(ValueType type) noexcept { return row_of(type).bytes; }

}  // namespace weighbridge::gguf
