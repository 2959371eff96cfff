#include "formats/pickle/aliases.hpp"

#include <algorithm>
#include <array>

namespace weighbridge::pickle {
namespace {

struct Alias {
  std::string_view old_name;
  std::string_view new_name;
};

constexpr std::array kModules{
    Alias{"UserDict", "collections"},   Alias{"__builtin__", "builtins"},
    Alias{"_pickle", "pickle"},         Alias{"cPickle", "pickle"},
    Alias{"copy_reg", "copyreg"},       Alias{"numpy.matrixlib.defmatrix", "numpy"},
    Alias{"pathlib._local", "pathlib"}, Alias{"torch.tensor", "torch._tensor"},
};

constexpr std::array kBuiltins{
    Alias{"basestring", "str"},
    Alias{"long", "int"},
    Alias{"unicode", "str"},
    Alias{"xrange", "range"},
};

// Packages that moved with all their modules.
constexpr std::array kPackages{
    Alias{"numpy.core", "numpy._core"},
    Alias{"sklearn.externals.joblib", "joblib"},
};

template <std::size_t N>
std::string_view replace_name(const std::array<Alias, N>& aliases, std::string_view name) {
  const auto found = std::ranges::find(aliases, name, &Alias::old_name);
  return found == aliases.end() ? name : found->new_name;
}

bool lies_in(std::string_view module, std::string_view package) {
  return module.starts_with(package) && (module.size() == package.size() || module[package.size()] == '.');
}

std::string normalise_module(std::string_view module) {
  for (const auto& [old_name, new_name] : kPackages) {
    if (lies_in(module, old_name)) return std::string(new_name).append(module.substr(old_name.size()));
  }
  return std::string(replace_name(kModules, module));
}

}  // namespace

QualifiedName normalise(std::string_view module, std::string_view name) {
  QualifiedName result{normalise_module(module), std::string(name)};
  if (result.module == "builtins") result.name = replace_name(kBuiltins, name);
  return result;
}

}  // namespace weighbridge::pickle
