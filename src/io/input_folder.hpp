// What every kind of input folder checks.
#pragma once

#include <string_view>

namespace weighbridge::io {

/// Throws MalformedCheckpoint unless is_plain_file_name(name): such names come from files.
void check_input_name(std::string_view name);

}  // namespace weighbridge::io
