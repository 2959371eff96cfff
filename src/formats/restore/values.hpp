// Values of a sidecar that have no parts: bytes, texts, numbers, names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/json/document.hpp"
#include "formats/pickle/writer.hpp"

namespace weighbridge::restore {

/// Whether `tag` stands for such a value.
bool is_single(std::string_view tag) noexcept;

/// Appends the value under a tag, None where it cannot come back; its name is then the result.
/// REQUIRES: is_single(sidecar.key(value)). Throws MalformedCheckpoint.
std::optional<std::string> write_single(pickle::Writer& out, const json::Document& sidecar, json::Node value);

}  // namespace weighbridge::restore
