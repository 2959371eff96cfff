// OpenOptions::key for formats whose names are flat.
#pragma once

#include <optional>
#include <string_view>

namespace weighbridge {

inline constexpr std::string_view kWholeFile = ".";

/// The name below `key`, or nothing when the tensor is not part of it. A tensor of that very name keeps it.
inline std::optional<std::string_view> select_name(std::string_view name, std::string_view key) {
  if (key == kWholeFile || name == key) return name;
  if (!name.starts_with(key) || name[key.size()] != '.') return std::nullopt;
  return name.substr(key.size() + 1);
}

}  // namespace weighbridge
