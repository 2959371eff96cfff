// The names that danger_of() knows, in tables that can be read: whole modules of Python itself, whole
// packages that are installed beside it, and single names of modules that are harmless otherwise.
#pragma once

#include <span>
#include <string_view>

namespace weighbridge::pickle {

// The reasons, in the words of the report.
inline constexpr std::string_view kShell = "runs programs";
inline constexpr std::string_view kCode = "runs Python code";
inline constexpr std::string_view kMakesCode = "builds functions from code";
inline constexpr std::string_view kImport = "imports any module";
inline constexpr std::string_view kLookup = "reaches any attribute of any object";
inline constexpr std::string_view kCall = "calls any function";
inline constexpr std::string_view kFiles = "reads or writes files";
inline constexpr std::string_view kNetwork = "opens network connections";
inline constexpr std::string_view kNative = "runs native code";
inline constexpr std::string_view kUnpickle = "unpickles other data, and executes it";
inline constexpr std::string_view kInterpreter = "changes the running interpreter";
inline constexpr std::string_view kInstall = "builds or installs software";
inline constexpr std::string_view kInternals = "reaches into the internals of Python objects";

/// A module with all its submodules.
struct DangerousModule {
  std::string_view module;
  std::string_view reason;
};

/// One name.
struct DangerousName {
  std::string_view module;
  std::string_view name;  ///< With all its attributes; one that ends in a dot means the attributes alone.
  std::string_view reason;
};

// Each ordered by module.
std::span<const DangerousModule> dangerous_stdlib() noexcept;
std::span<const DangerousModule> dangerous_packages() noexcept;
std::span<const DangerousName> dangerous_names() noexcept;

}  // namespace weighbridge::pickle
