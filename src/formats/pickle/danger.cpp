// What a loader that executes pickles could be made to do through the names of a stream.
//
// The list only decides what is reported. It cannot be complete, and nothing here depends on that:
// a name that is missing is as inert as one that is listed.
#include <algorithm>
#include <array>

#include "formats/pickle/danger_tables.hpp"
#include "formats/pickle/globals.hpp"

namespace weighbridge::pickle {
namespace {

// Modules that other modules import: one name more and their functions are at hand.
constexpr auto kGateways = std::to_array<std::string_view>({
    "__builtins__",
    "__import__",
    "builtins",
    "ctypes",
    "importlib",
    "os",
    "pickle",
    "posix",
    "pty",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
});

// Attributes of every object, class or function that lead on to everything else.
constexpr auto kInternalNames = std::to_array<std::string_view>({
    "__base__",
    "__bases__",
    "__builtins__",
    "__class__",
    "__closure__",
    "__code__",
    "__dict__",
    "__func__",
    "__getattribute__",
    "__globals__",
    "__import__",
    "__loader__",
    "__mro__",
    "__self__",
    "__setattr__",
    "__spec__",
    "__subclasses__",
});

// A class of a dangerous module that keeps three numbers and does nothing else: torch saves it with
// every jagged tensor.
constexpr struct {
  std::string_view module = "torch._dynamo.decorators";
  std::string_view name = "_DimRange";
} kHarmlessRecord;

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string_view danger_in(std::span<const DangerousModule> table, std::string_view module) {
  const auto found = std::ranges::lower_bound(table, module, {}, &DangerousModule::module);
  return found != table.end() && found->module == module ? found->reason : std::string_view{};
}

// The module or one of the packages that hold it.
std::string_view danger_of_module(std::string_view module) {
  while (true) {
    if (const auto reason = danger_in(dangerous_stdlib(), module); !reason.empty()) return reason;
    if (const auto reason = danger_in(dangerous_packages(), module); !reason.empty()) return reason;
    const std::size_t dot = module.rfind('.');
    if (dot == std::string_view::npos) return {};
    module = module.substr(0, dot);
  }
}

bool names_it(const DangerousName& entry, std::string_view name) {
  if (!name.starts_with(entry.name)) return false;
  return name.size() == entry.name.size() || entry.name.ends_with('.') || name[entry.name.size()] == '.';
}

std::string_view danger_of_name(std::string_view module, std::string_view name) {
  const auto entries = std::ranges::equal_range(dangerous_names(), module, {}, &DangerousName::module);
  const auto found = std::ranges::find_if(entries, [&](const auto& entry) { return names_it(entry, name); });
  return found == entries.end() ? std::string_view{} : found->reason;
}

// A dotted name walks over attributes: torch.serialization, os.system is os.system.
std::string_view danger_of_path(std::string_view name) {
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view part = name.substr(0, dot);
    if (contains(kInternalNames, part)) return kInternals;
    if (contains(kGateways, part)) return kImport;
    if (dot == std::string_view::npos) return {};
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string_view danger_of(std::string_view module, std::string_view name) noexcept {
  if (module == kHarmlessRecord.module && name == kHarmlessRecord.name) return {};
  if (const auto reason = danger_of_module(module); !reason.empty()) return reason;
  if (const auto reason = danger_of_name(module, name); !reason.empty()) return reason;
  return danger_of_path(name);
}

}  // namespace weighbridge::pickle
