// Bytes as text.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace weighbridge {

/// Appends `bytes` in base64, padded.
void append_base64(std::string& out, std::span<const std::byte> bytes);

}  // namespace weighbridge
