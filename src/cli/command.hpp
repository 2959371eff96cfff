// What every verb gives to the program.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

// Only what talks to CLI11 itself includes it: each of its functions is inline, and compiled wherever it is
// used.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weighbridge::cli {

/// Exit codes of the program; docs/cli.md promises them.
enum Exit : int {
  kOk = 0,
  kBadInput = 1,   ///< Findings, or an input that cannot be used.
  kUsage = 2,      ///< Wrong arguments; an output that exists already.
  kIo = 3,         ///< The operating system refused.
  kDangerous = 4,  ///< The input names code that a loader would have run.
};

/// The verb that the arguments chose.
struct Invocation {
  std::function<int()> run;     ///< Gives the exit code.
  std::string file;             ///< The input that an error message is about; may be empty.
  std::FILE* errors = nullptr;  ///< Where an error goes as JSON; null: none is wanted.
};

// Each adds its verb to `app`; the parse fills `invocation` when the verb was chosen.
void add_convert(CLI::App& app, Invocation& invocation);
void add_ls(CLI::App& app, Invocation& invocation);
void add_info(CLI::App& app, Invocation& invocation);
void add_validate(CLI::App& app, Invocation& invocation);
void add_scan(CLI::App& app, Invocation& invocation);
void add_cat(CLI::App& app, Invocation& invocation);
void add_extract(CLI::App& app, Invocation& invocation);
void add_hash(CLI::App& app, Invocation& invocation);
void add_diff(CLI::App& app, Invocation& invocation);
void add_merge(CLI::App& app, Invocation& invocation);
void add_split(CLI::App& app, Invocation& invocation);
void add_meta(CLI::App& app, Invocation& invocation);
void add_completion(CLI::App& app, Invocation& invocation);
void add_man(CLI::App& app, Invocation& invocation);

}  // namespace weighbridge::cli
