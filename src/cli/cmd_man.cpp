#include <iterator>

#include <weighbridge/version.hpp>

#include <CLI/App.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/app.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"

namespace weighbridge::cli {
namespace {

struct Options {
  Input input;
};

void declare(CLI::App& app, Options& /*options*/) {
  app.group("");  // for packagers; users have it installed
}

// Text for troff: no escape, no hyphenated minus, no request at the start of a line.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

void append_item(std::string& out, std::string_view tag, std::string_view text) {
  fmt::format_to(std::back_inserter(out), ".TP\n{}\n{}\n", tag, roff(text));
}

std::string row_tag(const OptionRow& row) {
  std::vector<std::string> names;
  for (const std::string& name : row.names) names.push_back(fmt::format("\\fB{}\\fR", roff(name)));
  const std::string value =
      row.value.empty() || row.is_argument ? "" : fmt::format(" \\fI{}\\fR", roff(row.value));
  return fmt::format("{}{}", fmt::join(names, ", "), value);
}

void append_examples(std::string& out, const CLI::App& verb) {
  if (verb.get_footer().empty()) return;
  fmt::format_to(std::back_inserter(out), ".PP\nExamples:\n.PP\n.nf\n{}.fi\n", roff(verb.get_footer()));
}

void append_verb(std::string& out, const CLI::App& verb) {
  fmt::format_to(std::back_inserter(out), ".SS {}\n{}\n.PP\n\\fB{}\\fR\n", roff(verb.get_name()),
                 roff(verb.get_description()), roff(usage_line(verb)));
  for (const OptionRow& row : option_rows(verb)) append_item(out, row_tag(row), row.description);
  append_examples(out, verb);
}

void append_environment(std::string& out) {
  out += ".SH ENVIRONMENT\n";
  append_item(out, "\\fBNO_COLOR\\fR", "When set and not empty, no colours are used.");
  append_item(out, "\\fBTERM\\fR", "When \"dumb\", neither colours nor a progress bar are used.");
}

std::string man_page(const CLI::App& app) {
  std::string out = fmt::format(".TH WEIGHBRIDGE 1 \"\" \"weighbridge {}\" \"User Commands\"\n", kVersion);
  out += ".SH NAME\nweighbridge \\- turn model weights into safetensors: safe, exact, fast\n";
  out += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR\n", roff(usage_line(app)));
  out += fmt::format(".SH DESCRIPTION\n{}\n.SH COMMANDS\n", roff(app.get_description()));
  for (const CLI::App* verb : verbs(app)) append_verb(out, *verb);
  out += ".SH EXIT STATUS\n";
  for (const ExitLine& line : exit_lines())
    append_item(out, fmt::format("\\fB{}\\fR", line.code), line.meaning);
  append_environment(out);
  return out;
}

int execute(const Options& /*options*/) {
  Invocation unused;
  fmt::print("{}", man_page(*build_app(unused)));
  return kOk;
}

}  // namespace

void add_man(CLI::App& app, Invocation& invocation) {
  add_verb<Options>(app, invocation, "man", "Prints the manual page in troff.", declare, execute);
}

}  // namespace weighbridge::cli
