// Text whose characters stand for bytes: how Python writes bytes where the protocol has none.
#pragma once

#include <optional>
#include <string>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::pickle {

/// The byte of each character of the UTF-8 in `text`; nothing when one is above U+00FF or the UTF-8
/// is broken. Reads in windows: takes memory for the result alone.
std::optional<std::string> decode_to_latin1(const ByteSource& text);

}  // namespace weighbridge::pickle
