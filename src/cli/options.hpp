// Options that several verbs share, said once.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/worker.hpp>

#include <CLI/App.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.hpp"

namespace weighbridge::cli {

/// The file that a verb reads, and how.
struct Input {
  std::string file;
  std::optional<std::string> key;
  OpenOptions open = {};  ///< What becomes of special tensors.
  bool json = false;
  WorkerOptions worker = {};  ///< How, and with how much, the file is read.
};

void add_file(CLI::App& app, std::string& file, std::string_view placeholder, std::string_view description);
void add_key(CLI::App& app, std::optional<std::string>& key);
void add_json(CLI::App& app, bool& json);
/// What becomes of special tensors: --sparse, --quantized, --complex, --numpy-void and --skip-meta.
void add_policies(CLI::App& app, OpenOptions& options);
/// FILE, --key, the policies and --json.
void add_input(CLI::App& app, Input& input);
/// --filter, as often as wanted.
void add_filter(CLI::App& app, std::vector<std::string>& globs);
void add_allow_dangerous(CLI::App& app, bool& allow);

CLI::Option* add_flag(CLI::App& app, std::string_view names, bool& target, std::string_view description);

/// An option with one value, shown as `placeholder`.
template <class T>
CLI::Option* add_value(CLI::App& app, std::string_view names, T& target, std::string_view placeholder,
                       std::string_view description) {
  return app.add_option(std::string(names), target, std::string(description))
      ->option_text(std::string(placeholder));
}

/// A number of bytes, with a unit or without: 5GB is 5 * 10^9, 5GiB is 5 * 2^30.
CLI::Option* add_size(CLI::App& app, std::string_view name, std::uint64_t& target,
                      std::string_view description);

/// An option whose value is one of the given words.
template <class T>
CLI::Option* add_choice(CLI::App& app, std::string_view name, T& target,
                        std::initializer_list<std::pair<std::string_view, T>> choices,
                        std::string_view description) {
  std::vector<std::pair<std::string, T>> table(choices.begin(), choices.end());
  std::vector<std::string_view> words;
  for (const auto& choice : choices) words.push_back(choice.first);
  const std::string all = fmt::format("{}", fmt::join(words, "|"));
  const auto choose = [table = std::move(table), &target, all,
                       option = std::string(name)](const std::string& word) {
    for (const auto& choice : table) {
      if (choice.first == word) {
        target = choice.second;
        return;
      }
    }
    throw CLI::ValidationError(option, fmt::format("'{}' is none of {}", word, all));
  };
  return app.add_option_function<std::string>(std::string(name), choose, std::string(description))
      ->option_text(all);
}

/// A verb whose options live in `Options`: `declare` names them, `execute` gives the exit code.
/// `Options` has a member `input` of type Input.
template <class Options>
CLI::App& add_verb(CLI::App& app, Invocation& invocation, std::string_view name, std::string_view purpose,
                   void (*declare)(CLI::App&, Options&), int (*execute)(const Options&)) {
  CLI::App& verb = *app.add_subcommand(std::string(name), std::string(purpose));
  const auto options = std::make_shared<Options>();
  declare(verb, *options);
  verb.callback([options, execute, &invocation] {
    invocation.run = [options, execute] { return execute(*options); };
    invocation.file = options->input.file;
    invocation.errors = options->input.json ? stdout : nullptr;
  });
  return verb;
}

/// Throws OutputExists when there is a file of that name already.
void refuse_existing(const std::filesystem::path& output);

/// Reads the structure of the input.
Checkpoint open_input(const Input& input, WorkerFiles& files);

}  // namespace weighbridge::cli
