#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion.hpp"

namespace weighbridge::cli {
namespace {

// Inside single quotes fish knows two escapes.
std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string name_flags(const OptionRow& row) {
  std::string out;
  for (const std::string& name : row.names) {
    out += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                                  : fmt::format(" -s {}", name.substr(1));
  }
  return out;
}

void append_row(std::string& out, const std::string& verb, const OptionRow& row) {
  const auto to = std::back_inserter(out);
  const auto words = choice_words(row.value);
  const std::string choices =
      words.empty() ? "" : fmt::format(" -xa {}", fish_quoted(fmt::format("{}", fmt::join(words, " "))));
  if (row.is_argument && choices.empty()) return;
  fmt::format_to(to, "complete -c weighbridge -n '__fish_seen_subcommand_from {}'", verb);
  if (!row.is_argument) out += name_flags(row);
  if (row.is_argument || !choices.empty()) {
    out += choices;
  } else if (!row.value.empty()) {
    out += " -r";
  }
  fmt::format_to(to, " -d {}\n", fish_quoted(first_sentence(row.description)));
}

}  // namespace

std::string fish_completion(const CLI::App& app) {
  std::string out = "# fish completion for weighbridge\n";
  for (const CLI::App* verb : verbs(app)) {
    fmt::format_to(std::back_inserter(out),
                   "complete -c weighbridge -f -n __fish_use_subcommand -a {} -d {}\n", verb_name(*verb),
                   fish_quoted(first_sentence(verb_purpose(*verb))));
    for (const OptionRow& row : option_rows(*verb)) append_row(out, verb_name(*verb), row);
  }
  return out;
}

}  // namespace weighbridge::cli
