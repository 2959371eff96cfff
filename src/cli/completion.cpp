#include "cli/completion.hpp"

#include <fmt/format.h>

#include "cli/app.hpp"
#include "cli/options.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Prints a completion script for a shell. Packages install it; without one, load it from the shell's own "
    "start file.";

enum class Shell : std::uint8_t { Bash, Zsh, Fish };

struct Options {
  Input input;
  Shell shell = Shell::Bash;
};

void declare(CLI::App& app, Options& options) {
  require(add_choice<Shell>(app, "SHELL", options.shell,
                            {{"bash", Shell::Bash}, {"zsh", Shell::Zsh}, {"fish", Shell::Fish}},
                            "The shell: bash, zsh or fish."));
  add_examples(
      app, {{"For this bash", "source <(weighbridge completion bash)"},
            {"For every fish", "weighbridge completion fish > ~/.config/fish/completions/weighbridge.fish"}});
}

int execute(const Options& options) {
  Invocation unused;
  const auto app = build_app(unused);
  switch (options.shell) {
    case Shell::Bash:
      fmt::print("{}", bash_completion(*app));
      break;
    case Shell::Zsh:
      fmt::print("{}", zsh_completion(*app));
      break;
    case Shell::Fish:
      fmt::print("{}", fish_completion(*app));
      break;
  }
  return kOk;
}

}  // namespace

void add_completion(CLI::App& app, Invocation& invocation) {
  add_verb<Options>(app, invocation, "completion", kPurpose, declare, execute);
}

std::vector<std::string_view> choice_words(std::string_view value) {
  std::vector<std::string_view> words;
  if (value.find('|') == value.npos) return words;
  while (true) {
    const std::size_t end = value.find('|');
    words.push_back(value.substr(0, end));
    if (end == value.npos) return words;
    value.remove_prefix(end + 1);
  }
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

}  // namespace weighbridge::cli
