#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion.hpp"

namespace weighbridge::cli {
namespace {

constexpr std::string_view kScript = R"(#compdef weighbridge
_weighbridge() {{
  local -a verbs=(
{verbs}  )
  if (( CURRENT == 2 )); then
    _describe command verbs
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
{options}  esac
}}
_weighbridge "$@"
)";

// Brackets and colons have a meaning in the specs of _arguments and _describe.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string action(const OptionRow& row) {
  const auto words = choice_words(row.value);
  return words.empty() ? "_files" : fmt::format("({})", fmt::join(words, " "));
}

std::string spec(const OptionRow& row, const std::string& name) {
  const std::string value = row.value.empty() ? "" : fmt::format(":{}:{}", escaped(row.value), action(row));
  return shell_quoted(fmt::format("*{}[{}]{}", name, escaped(first_sentence(row.description)), value));
}

std::string verb_lines(const CLI::App& verb) {
  std::string out = fmt::format("    {})\n      _arguments", verb_name(verb));
  for (const OptionRow& row : option_rows(verb)) {
    if (row.is_argument) {
      const std::string number = row.is_list ? "*" : "";
      out += " \\\n        " + shell_quoted(fmt::format("{}:{}:{}", number, row.names.front(), action(row)));
      continue;
    }
    for (const std::string& name : row.names) out += " \\\n        " + spec(row, name);
  }
  return out + "\n      ;;\n";
}

}  // namespace

std::string zsh_completion(const CLI::App& app) {
  std::string names;
  std::string options;
  for (const CLI::App* verb : verbs(app)) {
    const std::string purpose(first_sentence(verb_purpose(*verb)));
    fmt::format_to(std::back_inserter(names), "    {}\n",
                   shell_quoted(fmt::format("{}:{}", verb_name(*verb), escaped(purpose))));
    options += verb_lines(*verb);
  }
  return fmt::format(kScript, fmt::arg("verbs", names), fmt::arg("options", options));
}

}  // namespace weighbridge::cli
