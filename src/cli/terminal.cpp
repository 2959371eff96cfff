#include "cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <weighbridge/error.hpp>

#include <fmt/format.h>
#include <unistd.h>

namespace weighbridge::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::string_view style_code(Style style) {
  switch (style) {
    case Style::Strong:
      return "1";
    case Style::Faint:
      return "2";
    case Style::Error:
      return "1;31";
    case Style::Warning:
      return "1;33";
  }
  return "0";
}

}  // namespace

bool is_terminal(std::FILE* stream) { return isatty(fileno(stream)) == 1; }

bool is_screen(std::FILE* stream) { return is_terminal(stream) && environment("TERM") != "dumb"; }

std::string styled(std::FILE* stream, Style style, std::string_view text) {
  if (!is_screen(stream) || !environment("NO_COLOR").empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", style_code(style), text);
}

void refuse_terminal(std::string_view advice) {
  if (!is_terminal(stdout)) return;
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("standard output is a terminal, which raw bytes would garble; {}", advice));
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string count_text(std::uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", count, singular, count == 1 ? "" : "s");
}

std::size_t text_width(std::string_view text) {
  const auto starts = std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
  return static_cast<std::size_t>(starts);
}

}  // namespace weighbridge::cli
