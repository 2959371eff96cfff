// A bar on stderr while bytes are written.
#pragma once

#include <cstdint>
#include <string_view>

#include <weighbridge/write.hpp>

namespace weighbridge::cli {

enum class ProgressMode : std::uint8_t { Auto, Always, Never };

/// Draws on stderr; Auto only when that is a screen. Empty when nothing is to be drawn.
/// The bar wipes itself out when all is done.
Progress make_progress(ProgressMode mode, bool quiet);

/// Removes a bar that an interruption left.
void clear_progress(ProgressMode mode, bool quiet);

}  // namespace weighbridge::cli
