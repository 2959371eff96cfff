#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion.hpp"

namespace weighbridge::cli {
namespace {

constexpr std::string_view kScript = R"(# bash completion for weighbridge
_weighbridge() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} verb=${{COMP_WORDS[1]}}
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '{verbs} --help --version' -- "$current"))
    return
  fi
  case "$verb $previous" in
{values}  esac
  [[ $current == -* ]] || return
  case $verb in
{options}  esac
}}
complete -o default -F _weighbridge weighbridge
)";

std::string reply(std::string_view words) {
  return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$current\"))", words);
}

// "convert --shared" offers its words; an argument with words is offered behind the verb.
void append_values(std::string& out, const std::string& verb, const OptionRow& row) {
  const auto words = choice_words(row.value);
  if (words.empty()) return;
  for (const std::string& name : row.names) {
    const std::string place =
        row.is_argument ? fmt::format("{0} {0}", verb) : fmt::format("{} {}", verb, name);
    fmt::format_to(std::back_inserter(out), "    '{}') {}; return ;;\n", place,
                   reply(fmt::format("{}", fmt::join(words, " "))));
  }
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string names;
  std::string values;
  std::string options;
  for (const CLI::App* verb : verbs(app)) {
    std::string words;
    for (const OptionRow& row : option_rows(*verb)) {
      append_values(values, verb_name(*verb), row);
      if (!row.is_argument) words += fmt::format("{}{}", words.empty() ? "" : " ", fmt::join(row.names, " "));
    }
    fmt::format_to(std::back_inserter(options), "    {}) {} ;;\n", verb_name(*verb), reply(words));
    names += (names.empty() ? "" : " ") + verb_name(*verb);
  }
  return fmt::format(kScript, fmt::arg("verbs", names), fmt::arg("values", values),
                     fmt::arg("options", options));
}

}  // namespace weighbridge::cli
