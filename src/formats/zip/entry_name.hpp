// What a name in an archive may be. Names are keys here and never become paths.
#pragma once

#include <cstdint>
#include <string_view>

namespace weighbridge::zip {

/// When two names are the same. torch looks entries up without regard to case, so that names which
/// differ in nothing else are ambiguous there; Python's zipfile, and with it numpy, tells them apart.
enum class NameCase : std::uint8_t { Folded, Distinct };

/// Throws MalformedArchive for names that readers take for different ones: empty, with a NUL, with
/// a backslash. `header_offset` is where the name's header stands.
void check_name(std::string_view name, std::uint64_t header_offset);

/// Whether unpacking would write outside the target folder: absolute, with a drive letter, or with
/// a `..` component.
[[nodiscard]] bool leaves_its_folder(std::string_view name);

/// Order of names: negative, zero or positive.
[[nodiscard]] int compare_names(std::string_view a, std::string_view b, NameCase name_case) noexcept;

/// Order of names without regard to the case of ASCII letters: negative, zero or positive.
[[nodiscard]] int compare_folded(std::string_view a, std::string_view b) noexcept;

}  // namespace weighbridge::zip
