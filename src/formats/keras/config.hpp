// The description of a model that Keras saves beside its weights: JSON from which its loader makes
// objects, and therefore the place of attacks. Here it is data: read, judged, and never acted upon.
#pragma once

#include <optional>
#include <string_view>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/json/document.hpp"

namespace weighbridge::keras {

/// The text as JSON. Throws MalformedCheckpoint and LimitExceeded. `what` names it: "config.json".
json::Document parse_config(std::string_view text, std::string_view what, const Limits& limits);

/// Whether an object in the text says of which class it is, as all descriptions of models do. Of a text that
/// is no JSON, in whatever encoding Python would read it: whether it mentions one, or has escapes that could.
bool names_classes(std::string_view text, const Limits& limits);

/// What a loader would do because of it, beyond building layers of Keras: run code (a Lambda's bytecode, a
/// module imported by name), read files, reach the network. Of Severity::Danger where it would; a class
/// that the loader's user has to know is "KerasCustomObject", a Warning. Each kind is told at most
/// limits.findings times.
Findings inspect_config(const json::Document& config, const Limits& limits);

/// Both; text that is no JSON is the Warning "KerasConfigUnreadable", since Python reads more than JSON.
Findings inspect_text(std::string_view text, std::string_view what, const Limits& limits);

}  // namespace weighbridge::keras
