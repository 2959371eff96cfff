// Attributes and datasets of strings as JSON, without loss.
#pragma once

#include <string>

#include "formats/hdf5/content.hpp"

namespace weighbridge::hdf5 {

/// A text, or {"$bytes": "<base64>"} when it is not UTF-8.
void append_text(std::string& out, std::string_view text);

/// Texts as they are, one or a list; with more dimensions {"$shape": [...], "$values": [...]}. Numbers
/// {"$dtype": "F32", "$value": ...}, or "$values" with "$shape". Null for no dataspace,
/// {"$type": "reference"} for what is not read.
void append_attribute(std::string& out, const Attribute& attribute);
void append_texts(std::string& out, const std::vector<std::string>& texts, const Shape& shape);

/// The same for people, in a line.
std::string summarize(const Attribute& attribute);

}  // namespace weighbridge::hdf5
