// Help texts, and the table of options that help, completion and manual page are made from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace weighbridge::cli {

/// One argument or option as a person reads it.
struct OptionRow {
  std::vector<std::string> names;  ///< "-o", "--output"; the placeholder of an argument.
  std::string value;               ///< Placeholder of the value, "none|data|full"; empty for a flag.
  std::string description;
  bool is_argument = false;  ///< Told by its place, not by a name.
  bool is_required = false;
  bool is_list = false;
};

/// Arguments first, then options, as they were added; hidden ones are left out.
std::vector<OptionRow> option_rows(const CLI::App& app);

/// "convert", and what it is for.
const std::string& verb_name(const CLI::App& verb);
std::string verb_purpose(const CLI::App& verb);

/// The verbs that are not hidden.
std::vector<const CLI::App*> verbs(const CLI::App& app);

/// "weighbridge convert [options] IN".
std::string usage_line(const CLI::App& app);

struct ExitLine {
  std::string code;
  std::string_view meaning;
};

/// The same for every verb.
const std::vector<ExitLine>& exit_lines();

struct Example {
  std::string_view purpose;
  std::string_view command;
};

/// Examples are kept in the app's footer: a comment line and a command line each.
void add_examples(CLI::App& app, const std::vector<Example>& examples);

/// Lets the app and its verbs write their help as: usage, purpose, arguments, options, examples, exit status.
void set_help_layout(CLI::App& app);

/// The first sentence, without its full stop.
std::string_view first_sentence(std::string_view text);

/// The words in lines of at most `width` columns, a line break and `indent` spaces between them.
std::string wrap(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace weighbridge::cli
