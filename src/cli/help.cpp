#include "cli/help.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include <CLI/App.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weighbridge::cli {
namespace {

constexpr std::size_t kWidth = 79;
constexpr std::size_t kColumn = 28;

OptionRow make_row(const CLI::Option& option) {
  OptionRow row;
  row.value = option.get_expected_max() == 0 ? "" : option.get_option_text();
  row.description = option.get_description();
  row.is_argument = option.get_positional();
  row.is_required = option.get_required();
  row.is_list = row.is_argument && option.get_allow_extra_args();
  if (row.is_argument) {
    row.names.push_back(option.get_name(true));
  } else {
    for (const auto& name : option.get_snames()) row.names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) row.names.push_back("--" + name);
  }
  return row;
}

std::string label(const OptionRow& row) {
  std::string names = fmt::format("{}", fmt::join(row.names, ", "));
  return row.value.empty() || row.is_argument ? names : names + " " + row.value;
}

// "  label    description", the description on the next line where the label is long.
void append_entry(std::string& out, std::string_view label, std::string_view description) {
  const auto to = std::back_inserter(out);
  const std::string text = wrap(description, kColumn, kWidth);
  if (label.size() + 4 > kColumn) {
    fmt::format_to(to, "  {}\n{:{}}{}\n", label, "", kColumn, text);
  } else {
    fmt::format_to(to, "  {:{}}{}\n", label, kColumn - 2, text);
  }
}

void append_rows(std::string& out, std::string_view title, const std::vector<OptionRow>& rows,
                 bool arguments) {
  bool first = true;
  for (const OptionRow& row : rows) {
    if (row.is_argument != arguments) continue;
    if (std::exchange(first, false)) fmt::format_to(std::back_inserter(out), "\n{}:\n", title);
    append_entry(out, label(row), row.description);
  }
}

void append_verbs(std::string& out, const CLI::App& app) {
  const auto list = verbs(app);
  if (list.empty()) return;
  out += "\nCommands:\n";
  for (const CLI::App* verb : list) {
    append_entry(out, verb->get_name(), fmt::format("{}.", first_sentence(verb->get_description())));
  }
}

void append_exit_status(std::string& out) {
  out += "\nExit status:\n";
  for (const ExitLine& line : exit_lines()) {
    fmt::format_to(std::back_inserter(out), "  {:<10}{}\n", line.code, wrap(line.meaning, 12, kWidth));
  }
}

class HelpLayout : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string /*name*/,
                        CLI::AppFormatMode /*mode*/) const override {
    std::string out =
        fmt::format("Usage: {}\n\n{}\n", usage_line(*app), wrap(app->get_description(), 0, kWidth));
    const auto rows = option_rows(*app);
    append_verbs(out, *app);
    append_rows(out, "Arguments", rows, true);
    append_rows(out, "Options", rows, false);
    if (!app->get_footer().empty()) out += "\nExamples:\n" + app->get_footer();
    append_exit_status(out);
    return out;
  }
};

}  // namespace

std::vector<OptionRow> option_rows(const CLI::App& app) {
  std::vector<OptionRow> rows;
  for (const bool arguments : {true, false}) {
    for (const CLI::Option* option : app.get_options()) {
      if (!option->get_group().empty() && option->get_positional() == arguments)
        rows.push_back(make_row(*option));
    }
  }
  return rows;
}

const std::string& verb_name(const CLI::App& verb) { return verb.get_name(); }

std::string verb_purpose(const CLI::App& verb) { return verb.get_description(); }

std::vector<const CLI::App*> verbs(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* verb) { return !verb->get_group().empty(); });
}

std::string usage_line(const CLI::App& app) {
  std::string line = app.get_name();
  if (app.get_parent() != nullptr) line = app.get_parent()->get_name() + " " + line;
  line += verbs(app).empty() ? " [options]" : " COMMAND [options]";
  for (const OptionRow& row : option_rows(app)) {
    if (row.is_argument) line += fmt::format(" {}{}", row.names.front(), row.is_list ? "..." : "");
  }
  return line;
}

const std::vector<ExitLine>& exit_lines() {
  static const std::vector<ExitLine> kLines = {
      {"0", "All is well."},
      {"1", "The input has findings, or cannot be used."},
      {"2", "Wrong arguments, or the output exists already."},
      {"3", "Reading or writing failed."},
      {"4", "Refused: the input names code that a loader of pickles would run."},
      {"130, 143", "Stopped by SIGINT or SIGTERM."},
  };
  return kLines;
}

void add_examples(CLI::App& app, const std::vector<Example>& examples) {
  std::string text;
  for (const Example& example : examples) {
    fmt::format_to(std::back_inserter(text), "  # {}\n  {}\n", example.purpose, example.command);
  }
  app.footer(text);
}

void set_help_layout(CLI::App& app) { app.formatter(std::make_shared<HelpLayout>()); }

std::string_view first_sentence(std::string_view text) {
  text = text.substr(0, text.find(". "));
  return text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
}

std::string wrap(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (out.empty()) {
      column += word.size();
    } else if (column + 1 + word.size() > width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent + word.size();
    } else {
      out += ' ';
      column += 1 + word.size();
    }
    out += word;
  }
  return out;
}

}  // namespace weighbridge::cli
