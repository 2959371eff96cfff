// On stderr while bytes are written: a bar for people, or lines for programs.
#pragma once

#include <cstdint>
#include <string_view>

#include <weighbridge/write.hpp>

namespace weighbridge::cli {

enum class ProgressMode : std::uint8_t {
  Auto,    ///< A bar when stderr is a screen.
  Always,  ///< A bar.
  Never,
  Json,  ///< A line of JSON at each step.
};

/// Shows how far a write has come on stderr. Empty when nothing is to be shown.
/// The bar wipes itself out when all is done.
Progress make_progress(ProgressMode mode, bool quiet);

/// Removes a bar that an interruption left.
void clear_progress(ProgressMode mode, bool quiet);

}  // namespace weighbridge::cli
