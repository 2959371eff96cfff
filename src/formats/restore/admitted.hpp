// What torch.load(weights_only=True) admits of classes and names.
#pragma once

#include <optional>
#include <string_view>

namespace weighbridge::restore {

struct GlobalName {
  std::string_view module;
  std::string_view name;
};

/// Containers that are made without arguments and then filled.
std::optional<GlobalName> find_dict_class(std::string_view full_name) noexcept;

/// Functions that are called with the arguments of the sidecar.
std::optional<GlobalName> find_function(std::string_view full_name) noexcept;

/// Names that may stand for themselves: classes, layouts, quantisation schemes.
std::optional<GlobalName> find_name(std::string_view full_name) noexcept;

/// Whether the class says nothing but what the tag beside it says: builtins.list and `$list`.
bool is_builtin_container(std::string_view full_name) noexcept;

}  // namespace weighbridge::restore
