#include "cli/options.hpp"

#include <system_error>

#include <weighbridge/error.hpp>
#include <weighbridge/text.hpp>

namespace weighbridge::cli {

void add_file(CLI::App& app, std::string& file, std::string_view placeholder, std::string_view description) {
  app.add_option(std::string(placeholder), file, std::string(description))->required();
}

void add_key(CLI::App& app, std::optional<std::string>& key) {
  add_value(app, "--key", key, "PATH",
            "Take the tensors below this dotted path of a checkpoint; '.' takes every tensor under its full "
            "path. Default: the state dict is found.");
}

void add_json(CLI::App& app, bool& json) {
  add_flag(app, "--json", json, "Print JSON instead of text; an error is a JSON object too.");
}

void add_input(CLI::App& app, Input& input) {
  add_file(app, input.file, "FILE", "A safetensors file or a PyTorch checkpoint, told apart by content.");
  add_key(app, input.key);
  add_json(app, input.json);
}

void add_filter(CLI::App& app, std::vector<std::string>& globs) {
  // One value each time: "--filter GLOB FILE" must not take FILE for a second pattern.
  add_value(app, "--filter", globs, "GLOB",
            "Only tensors whose name matches, e.g. 'model.*.weight'. Repeatable.")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_allow_dangerous(CLI::App& app, bool& allow) {
  add_flag(
      app, "--allow-dangerous", allow,
      "Go on although the file names code that a loader of pickles would run. It is not run here either.");
}

CLI::Option* add_flag(CLI::App& app, std::string_view names, bool& target, std::string_view description) {
  return app.add_flag(std::string(names), target, std::string(description));
}

void refuse_existing(const std::filesystem::path& output) {
  std::error_code ignored;  // a path that cannot be looked at is reported by the write itself
  if (!std::filesystem::exists(output, ignored)) return;
  throw Error(ErrorCode::OutputExists,
              fmt::format("output '{}' exists already; --force replaces it", printable(output.string())),
              output.string());
}

Checkpoint open_input(const Input& input) {
  OpenOptions options;
  options.key = input.key;
  return open_checkpoint(input.file, options);
}

}  // namespace weighbridge::cli
