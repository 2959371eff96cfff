// Shell completion, generated from the command line that the program parses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/help.hpp"

namespace weighbridge::cli {

std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);
std::string fish_completion(const CLI::App& app);

/// The words of "a|b|c"; empty for a placeholder such as "PATH".
std::vector<std::string_view> choice_words(std::string_view value);

/// The text in single quotes for a shell of the Bourne family.
std::string shell_quoted(std::string_view text);

}  // namespace weighbridge::cli
