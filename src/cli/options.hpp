// Options that several verbs share, said once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/worker.hpp>

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

/// One argument or more. Required.
void add_files(CLI::App& app, std::vector<std::string>& files, std::string_view placeholder,
               std::string_view description);

/// Wrong without that option or argument; gives it back.
CLI::Option* require(CLI::Option* option);
/// One of the two at most.
void exclude(CLI::App& app, const std::string& option, const std::string& other);
/// `option` only together with `other`.
void need(CLI::App& app, const std::string& option, const std::string& other);

/// An option with one value, shown as `placeholder`. For the types that options.cpp names.
template <class T>
CLI::Option* add_value(CLI::App& app, std::string_view names, T& target, std::string_view placeholder,
                       std::string_view description);

/// A number of bytes, with a unit or without: 5GB is 5 * 10^9, 5GiB is 5 * 2^30.
CLI::Option* add_size(CLI::App& app, std::string_view name, std::uint64_t& target,
                      std::string_view description);

/// An option whose value is one of `words`; `choose` is told which.
CLI::Option* add_word(CLI::App& app, std::string_view name, const std::vector<std::string_view>& words,
                      const std::function<void(std::size_t)>& choose, std::string_view description);

/// The same, where each word stands for a value.
template <class T>
CLI::Option* add_choice(CLI::App& app, std::string_view name, T& target,
                        std::initializer_list<std::pair<std::string_view, T>> choices,
                        std::string_view description) {
  std::vector<std::string_view> words;
  std::vector<T> values;
  for (const auto& [word, value] : choices) {
    words.push_back(word);
    values.push_back(value);
  }
  const auto choose = [values = std::move(values), &target](std::size_t chosen) { target = values[chosen]; };
  return add_word(app, name, words, choose, description);
}

/// A verb without options.
CLI::App& add_named(CLI::App& app, std::string_view name, std::string_view purpose);
/// What happens once the arguments are parsed and chose `verb`.
void when_chosen(CLI::App& verb, const std::function<void()>& action);

/// A verb whose options live in `Options`: `declare` names them, `execute` gives the exit code.
/// `Options` has a member `input` of type Input.
template <class Options>
CLI::App& add_verb(CLI::App& app, Invocation& invocation, std::string_view name, std::string_view purpose,
                   void (*declare)(CLI::App&, Options&), int (*execute)(const Options&)) {
  CLI::App& verb = add_named(app, name, purpose);
  const auto options = std::make_shared<Options>();
  declare(verb, *options);
  when_chosen(verb, [options, execute, &invocation] {
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
