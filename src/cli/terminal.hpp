// What goes to a person's screen: colours only where one looks, sizes in units.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace weighbridge::cli {

/// Whether the stream is a terminal.
bool is_terminal(std::FILE* stream);

/// Whether the stream understands cursor movement and colours: a terminal that is not "dumb".
bool is_screen(std::FILE* stream);

enum class Style : std::uint8_t { Strong, Faint, Error, Warning };

/// The text in that style on a screen (unless NO_COLOR is set), otherwise as it is.
std::string styled(std::FILE* stream, Style style, std::string_view text);

/// Throws InvalidArgument when standard output is a terminal: raw bytes would garble it.
void refuse_terminal(std::string_view advice);

/// "12 B", "3.4 MiB".
std::string size_text(std::uint64_t bytes);

/// "1 tensor", "2 tensors".
std::string count_text(std::uint64_t count, std::string_view singular);

/// Columns that the text takes on a screen, one for each code point. REQUIRES: printable().
std::size_t text_width(std::string_view text);

}  // namespace weighbridge::cli
