#include "cli/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include <weighbridge/error.hpp>
#include <weighbridge/text.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>     // App keeps a configuration reader, whose members are defined here,
#include <CLI/Formatter.hpp>  // and a formatter
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/worker.hpp"

namespace weighbridge::cli {

CLI::App& add_named(CLI::App& app, std::string_view name, std::string_view purpose) {
  return *app.add_subcommand(std::string(name), std::string(purpose));
}

void when_chosen(CLI::App& verb, const std::function<void()>& action) { verb.callback(action); }

template <class T>
CLI::Option* add_value(CLI::App& app, std::string_view names, T& target, std::string_view placeholder,
                       std::string_view description) {
  return app.add_option(std::string(names), target, std::string(description))
      ->option_text(std::string(placeholder));
}

template CLI::Option* add_value(CLI::App&, std::string_view, double&, std::string_view, std::string_view);
template CLI::Option* add_value(CLI::App&, std::string_view, unsigned&, std::string_view, std::string_view);
template CLI::Option* add_value(CLI::App&, std::string_view, std::uint64_t&, std::string_view,
                                std::string_view);
template CLI::Option* add_value(CLI::App&, std::string_view, std::string&, std::string_view,
                                std::string_view);
template CLI::Option* add_value(CLI::App&, std::string_view, std::filesystem::path&, std::string_view,
                                std::string_view);
template CLI::Option* add_value(CLI::App&, std::string_view, std::optional<std::string>&, std::string_view,
                                std::string_view);
template CLI::Option* add_value(CLI::App&, std::string_view, std::vector<std::string>&, std::string_view,
                                std::string_view);

void add_file(CLI::App& app, std::string& file, std::string_view placeholder, std::string_view description) {
  app.add_option(std::string(placeholder), file, std::string(description))->required();
}

void add_files(CLI::App& app, std::vector<std::string>& files, std::string_view placeholder,
               std::string_view description) {
  app.add_option(std::string(placeholder), files, std::string(description))->required();
}

CLI::Option* require(CLI::Option* option) { return option->required(); }

void exclude(CLI::App& app, const std::string& option, const std::string& other) {
  app.get_option(option)->excludes(app.get_option(other));
}

void need(CLI::App& app, const std::string& option, const std::string& other) {
  app.get_option(option)->needs(app.get_option(other));
}

void add_key(CLI::App& app, std::optional<std::string>& key) {
  add_value(app, "--key", key, "PATH",
            "Take the tensors below this dotted path of a checkpoint; '.' takes every tensor under its full "
            "path. Default: the state dict is found.");
}

void add_json(CLI::App& app, bool& json) {
  add_flag(app, "--json", json, "Print JSON instead of text; an error is a JSON object too.");
}

void add_policies(CLI::App& app, OpenOptions& options) {
  add_choice<SparsePolicy>(
      app, "--sparse", options.sparse, {{"dense", SparsePolicy::Dense}, {"split", SparsePolicy::Split}},
      "Sparse tensors: write them out in full, or their indices and values as they are. Default: dense.");
  add_choice<QuantizedPolicy>(
      app, "--quantized", options.quantized,
      {{"split", QuantizedPolicy::Split}, {"dequantize", QuantizedPolicy::Dequantize}},
      "Quantized tensors: their integers with .scale and .zero_point beside them, or F32. Default: split.");
  add_choice<std::optional<DType>>(
      app, "--dequantize", options.dequantize,
      {{"f32", DType::F32}, {"f16", DType::F16}, {"bf16", DType::BF16}},
      "Blocks of GGUF: as numbers of this type, rounded to nearest even. Default: the blocks as they are.");
  add_choice<bool>(
      app, "--complex", options.split_complex, {{"whole", false}, {"split", true}},
      "Complex tensors: as C64, or as .real and .imag, the only way for complex128. Default: whole.");
  add_flag(app, "--variable-names", options.variable_names,
           "Of TensorFlow: the names that variables were given, instead of their paths through objects.");
  add_choice<VoidPolicy>(
      app, "--numpy-void", options.numpy_void, {{"bf16", VoidPolicy::Bfloat16}, {"bytes", VoidPolicy::Bytes}},
      "Raw bytes in .npy and .npz files: those of two bytes as BF16 and no others, or all as U8 with a "
      "dimension more. Default: bf16.");
  add_flag(app, "--skip-meta", options.skip_meta,
           "Leave out meta tensors, which have no data, instead of refusing the file.");
}

void add_input(CLI::App& app, Input& input) {
  add_file(app, input.file, "FILE", "A safetensors file or a PyTorch checkpoint, told apart by content.");
  add_key(app, input.key);
  add_policies(app, input.open);
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

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};

constexpr std::array kUnits = {
    Unit{"", 1},
    Unit{"B", 1},
    Unit{"KB", 1000},
    Unit{"MB", 1000 * 1000},
    Unit{"GB", 1000 * 1000 * 1000},
    Unit{"TB", std::uint64_t{1000} * 1000 * 1000 * 1000},
    Unit{"KIB", std::uint64_t{1} << 10},
    Unit{"MIB", std::uint64_t{1} << 20},
    Unit{"GIB", std::uint64_t{1} << 30},
    Unit{"TIB", std::uint64_t{1} << 40},
};

std::optional<std::uint64_t> parse_size(const std::string& text) {
  std::uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{}) return std::nullopt;
  std::string unit(parsed, end);
  for (char& c : unit) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  const auto found = std::ranges::find(kUnits, unit, &Unit::name);
  if (found == kUnits.end() || count == 0 || count > UINT64_MAX / found->bytes) return std::nullopt;
  return count * found->bytes;
}

}  // namespace

CLI::Option* add_size(CLI::App& app, std::string_view name, std::uint64_t& target,
                      std::string_view description) {
  const auto read = [&target, option = std::string(name)](const std::string& text) {
    const auto size = parse_size(text);
    if (!size) throw CLI::ValidationError(option, fmt::format("'{}' is no size such as 5GB or 500MiB", text));
    target = *size;
  };
  return app.add_option_function<std::string>(std::string(name), read, std::string(description))
      ->option_text("SIZE");
}

CLI::Option* add_word(CLI::App& app, std::string_view name, const std::vector<std::string_view>& words,
                      const std::function<void(std::size_t)>& choose, std::string_view description) {
  const std::string all = fmt::format("{}", fmt::join(words, "|"));
  const std::vector<std::string> known(words.begin(), words.end());
  const auto read = [known, choose, all, option = std::string(name)](const std::string& word) {
    const auto found = std::ranges::find(known, word);
    if (found == known.end()) {
      throw CLI::ValidationError(option, fmt::format("'{}' is none of {}", word, all));
    }
    choose(static_cast<std::size_t>(found - known.begin()));
  };
  return app.add_option_function<std::string>(std::string(name), read, std::string(description))
      ->option_text(all);
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

Checkpoint open_input(const Input& input, WorkerFiles& files) {
  OpenOptions options = input.open;
  options.key = input.key;
  options.folder = files.input_folder();
  options.input_name = files.input_name();
  options.hdf5 = hdf5_for(input.worker);
  return read_checkpoint(files.open_input(), options);
}

}  // namespace weighbridge::cli
