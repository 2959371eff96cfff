// The version of the library, for programs that report or require it.
#pragma once

#include <string_view>

namespace weighbridge {

/// Semantic version of these headers. A test holds it equal to the build's version.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace weighbridge
