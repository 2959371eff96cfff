// Compressed content for tests, as the codecs' own libraries write it.
#pragma once

#include <cstdint>
#include <string>

#include "formats/compressed/compressed.hpp"

namespace weighbridge::test {

/// A whole file: one member, default settings.
std::string compress(compressed::Codec codec, const std::string& content);

/// "ZF" and the length as joblib wrote it: "0x1a" and blanks up to 19 characters.
std::string zfile_header(std::uint64_t bytes);

}  // namespace weighbridge::test
