// Text from a file on its way into JSON; weighbridge/text.hpp has its way to a person.
#pragma once

#include <string>
#include <string_view>

#include <weighbridge/text.hpp>

namespace weighbridge {

/// Appends `text` as a JSON string: `"`, `\`, \b \f \n \r \t escaped, other control characters as
/// \u00xx in lower case, all else raw. REQUIRES: valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace weighbridge
