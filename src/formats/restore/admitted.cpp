#include "formats/restore/admitted.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace weighbridge::restore {
namespace {

constexpr std::array kDictClasses = {
    GlobalName{"collections", "OrderedDict"},
    GlobalName{"collections", "Counter"},
};

constexpr std::array kFunctions = {
    GlobalName{"torch.serialization", "_get_layout"},
};

constexpr std::array kNames = {
    GlobalName{"collections", "OrderedDict"},
    GlobalName{"collections", "Counter"},
    GlobalName{"torch", "Size"},
    GlobalName{"torch", "Tensor"},
    GlobalName{"torch", "device"},
    GlobalName{"torch", "per_tensor_affine"},
    GlobalName{"torch", "per_tensor_symmetric"},
    GlobalName{"torch", "per_channel_affine"},
    GlobalName{"torch", "per_channel_symmetric"},
    GlobalName{"torch", "per_channel_affine_float_qparams"},
    GlobalName{"torch.nn.parameter", "Parameter"},
};

constexpr std::array<std::string_view, 5> kBuiltins = {
    "builtins.dict", "builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset",
};

std::optional<GlobalName> find(std::span<const GlobalName> table, std::string_view full_name) noexcept {
  const auto found = std::ranges::find_if(table, [&](const GlobalName& row) {
    return full_name.size() == row.module.size() + 1 + row.name.size() && full_name.starts_with(row.module) &&
           full_name[row.module.size()] == '.' && full_name.ends_with(row.name);
  });
  return found == table.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::optional<GlobalName> find_dict_class(std::string_view full_name) noexcept {
  return find(kDictClasses, full_name);
}

std::optional<GlobalName> find_function(std::string_view full_name) noexcept {
  return find(kFunctions, full_name);
}

std::optional<GlobalName> find_name(std::string_view full_name) noexcept { return find(kNames, full_name); }

bool is_builtin_container(std::string_view full_name) noexcept {
  return std::ranges::find(kBuiltins, full_name) != kBuiltins.end();
}

}  // namespace weighbridge::restore
