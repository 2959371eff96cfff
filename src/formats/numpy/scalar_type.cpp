#include "formats/numpy/scalar_type.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace weighbridge::numpy {
namespace {

struct Row {
  char kind;
  std::uint64_t bytes;
  std::optional<DType> dtype;
};

/// Every type of a fixed size. Long doubles are 10 bytes of number in 12 or 16.
constexpr std::array kRows = {
    Row{'b', 1, DType::BOOL},   Row{'i', 1, DType::I8},     Row{'i', 2, DType::I16},
    Row{'i', 4, DType::I32},    Row{'i', 8, DType::I64},    Row{'u', 1, DType::U8},
    Row{'u', 2, DType::U16},    Row{'u', 4, DType::U32},    Row{'u', 8, DType::U64},
    Row{'f', 2, DType::F16},    Row{'f', 4, DType::F32},    Row{'f', 8, DType::F64},
    Row{'f', 12, std::nullopt}, Row{'f', 16, std::nullopt}, Row{'c', 8, DType::C64},
    Row{'c', 16, std::nullopt}, Row{'c', 24, std::nullopt}, Row{'c', 32, std::nullopt},
    Row{'M', 8, DType::I64},    Row{'m', 8, DType::I64},    Row{'O', 4, std::nullopt},
    Row{'O', 8, std::nullopt},
};

struct MlRow {
  std::string_view name;
  std::uint64_t bytes;
  std::optional<DType> dtype;
};

constexpr std::array kMlRows = {
    MlRow{"bfloat16", 2, DType::BF16},
    MlRow{"float8_e4m3fn", 1, DType::F8_E4M3},
    MlRow{"float8_e5m2", 1, DType::F8_E5M2},
    MlRow{"float8_e4m3fnuz", 1, DType::F8_E4M3FNUZ},
    MlRow{"float8_e5m2fnuz", 1, DType::F8_E5M2FNUZ},
    MlRow{"float8_e8m0fnu", 1, DType::F8_E8M0},
    MlRow{"float8_e3m4", 1, std::nullopt},
    MlRow{"float8_e4m3", 1, std::nullopt},
    MlRow{"float8_e4m3b11fnuz", 1, std::nullopt},
    MlRow{"float6_e2m3fn", 1, std::nullopt},
    MlRow{"float6_e3m2fn", 1, std::nullopt},
    MlRow{"float4_e2m1fn", 1, std::nullopt},
    MlRow{"int4", 1, std::nullopt},
    MlRow{"int2", 1, std::nullopt},
    MlRow{"uint4", 1, std::nullopt},
    MlRow{"uint2", 1, std::nullopt},
};

struct ClassRow {
  std::string_view name;
  std::string_view type;
};

constexpr std::array kClasses = {
    ClassRow{"bool_", "b1"},       ClassRow{"bool", "b1"},      ClassRow{"int8", "i1"},
    ClassRow{"int16", "i2"},       ClassRow{"int32", "i4"},     ClassRow{"int64", "i8"},
    ClassRow{"longlong", "i8"},    ClassRow{"uint8", "u1"},     ClassRow{"uint16", "u2"},
    ClassRow{"uint32", "u4"},      ClassRow{"uint64", "u8"},    ClassRow{"ulonglong", "u8"},
    ClassRow{"float16", "f2"},     ClassRow{"float32", "f4"},   ClassRow{"float64", "f8"},
    ClassRow{"longdouble", "f16"}, ClassRow{"complex64", "c8"}, ClassRow{"complex128", "c16"},
    ClassRow{"void", "V0"},        ClassRow{"record", "V0"},    ClassRow{"str_", "U0"},
    ClassRow{"bytes_", "S0"},      ClassRow{"object_", "O8"},   ClassRow{"datetime64", "M8"},
    ClassRow{"timedelta64", "m8"},
};

/// Longer texts than any array holds; keeps the size of an element far from overflow.
constexpr std::uint64_t kLongestElement = std::uint64_t{1} << 31;

const Row* find_row(char kind, std::uint64_t bytes) noexcept {
  const auto found =
      std::ranges::find_if(kRows, [&](const Row& row) { return row.kind == kind && row.bytes == bytes; });
  return found == kRows.end() ? nullptr : &*found;
}

const MlRow* find_ml_row(std::string_view name) noexcept {
  const auto found = std::ranges::find(kMlRows, name, &MlRow::name);
  return found == kMlRows.end() ? nullptr : &*found;
}

/// Digits at the front of `text`, which are taken off; nothing for none or too large a number.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 10) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text.substr(0, digits)) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  text.remove_prefix(digits);
  return value;
}

bool is_unit(std::string_view text) {
  return text.size() <= 32 &&
         text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzDMWY/") == std::string_view::npos;
}

/// "[ns]" behind a time; an empty text is a time without a unit.
std::optional<std::string> parse_unit(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() < 3 || text.front() != '[' || text.back() != ']') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (!is_unit(text)) return std::nullopt;
  return text == "generic" ? std::string() : std::string(text);
}

/// Texts and raw bytes may have any length; without one they have none.
std::optional<ScalarType> find_sized(char kind, std::string_view text) {
  const auto count = text.empty() ? std::optional<std::uint64_t>(0) : take_number(text);
  if (!count || !text.empty() || *count >= kLongestElement / 4) return std::nullopt;
  return ScalarType{.kind = kind, .bytes = kind == 'U' ? *count * 4 : *count};
}

std::optional<ScalarType> find_fixed(char kind, std::string_view text) {
  const auto bytes = text.empty() && kind == 'O' ? std::optional<std::uint64_t>(8) : take_number(text);
  if (!bytes || find_row(kind, *bytes) == nullptr) return std::nullopt;
  if (kind != 'M' && kind != 'm') {
    if (!text.empty()) return std::nullopt;
    return ScalarType{.kind = kind, .bytes = *bytes};
  }
  const auto unit = parse_unit(text);
  if (!unit) return std::nullopt;
  return ScalarType{.kind = kind, .bytes = *bytes, .unit = *unit};
}

/// Bytes that change order together.
std::uint64_t component_bytes(const ScalarType& type) noexcept {
  return type.kind == 'c' ? type.bytes / 2 : type.bytes;
}

}  // namespace

std::optional<ScalarType> find_scalar_type(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool ordered = std::string_view("<>|=").find(text.front()) != std::string_view::npos;
  const bool big = text.front() == '>';
  if (ordered) text.remove_prefix(1);
  if (text == "?") text = "b1";
  if (text.empty()) return std::nullopt;
  const char kind = text.front() == 'a' ? 'S' : text.front();
  text.remove_prefix(1);
  const bool sized = kind == 'S' || kind == 'U' || kind == 'V';
  auto type = sized ? find_sized(kind, text) : find_fixed(kind, text);
  if (type) type->big_endian = big;
  return type;
}

std::optional<ScalarType> find_scalar_class(std::string_view module, std::string_view name) {
  if (module == "numpy") {
    const auto found = std::ranges::find(kClasses, name, &ClassRow::name);
    return found == kClasses.end() ? std::nullopt : find_scalar_type(found->type);
  }
  const MlRow* row = module.starts_with("ml_dtypes") ? find_ml_row(name) : nullptr;
  if (row == nullptr) return std::nullopt;
  return ScalarType{.kind = 'x', .bytes = row->bytes, .name = std::string(name)};
}

std::optional<DType> find_dtype(const ScalarType& type) noexcept {
  if (type.kind == 'x') {
    const MlRow* row = find_ml_row(type.name);
    return row == nullptr ? std::nullopt : row->dtype;
  }
  const Row* row = find_row(type.kind, type.bytes);
  return row == nullptr ? std::nullopt : row->dtype;
}

bool is_complex(const ScalarType& type) noexcept {
  return type.kind == 'c' && (type.bytes == 8 || type.bytes == 16);
}

Transform transform_of(const ScalarType& type) noexcept {
  if (type.kind == 'b') return Transform::Booleans;
  if (!type.big_endian) return Transform::None;
  switch (component_bytes(type)) {
    case 2:
      return Transform::Swap2;
    case 4:
      return Transform::Swap4;
    case 8:
      return Transform::Swap8;
    default:
      return Transform::None;
  }
}

std::string type_text(const ScalarType& type) {
  if (type.kind == 'x') return type.name;
  if (type.kind == 'O') return "|O";
  const bool orderless = type.bytes <= 1 || type.kind == 'S' || type.kind == 'V';
  const char order = orderless ? '|' : type.big_endian ? '>' : '<';
  std::string text = fmt::format("{}{}{}", order, type.kind, type.kind == 'U' ? type.bytes / 4 : type.bytes);
  if (!type.unit.empty()) text += fmt::format("[{}]", type.unit);
  return text;
}

std::string_view kind_text(const ScalarType& type) noexcept {
  switch (type.kind) {
    case 'S':
      return "byte strings";
    case 'U':
      return "text";
    case 'V':
      return "raw bytes";
    case 'O':
      return "objects";
    case 'f':
      return "long doubles";
    case 'c':
      return is_complex(type) ? "complex numbers" : "complex long doubles";
    default:
      return "numbers of a type that safetensors does not have";
  }
}

}  // namespace weighbridge::numpy
