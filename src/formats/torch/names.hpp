// How the keys of containers become the parts of a tensor's name.
#pragma once

#include <optional>
#include <string>

#include "formats/pickle/graph.hpp"

namespace weighbridge::torch {

/// The key as text: str as it is, bytes decoded, integers in decimal, True, False and None, tuples
/// as Python writes them: "(10, 'a')". Nothing for any other key. The text is valid UTF-8; lone
/// surrogates and bytes that are no UTF-8 are escaped, and `escaped` is set then.
std::optional<std::string> find_key_text(const pickle::Graph& graph, pickle::NodeId key, bool& escaped);

/// `text` with every byte that is not part of valid UTF-8 escaped: lone surrogates as \udxxx,
/// others as \xNN. Sets `escaped` when there was one.
std::string valid_utf8(std::string_view text, bool& escaped);

}  // namespace weighbridge::torch
