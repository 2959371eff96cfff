// The options of `convert`.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include <weighbridge/convert.hpp>

#include "cli/options.hpp"
#include "cli/progress.hpp"

namespace weighbridge::cli {

struct ConvertCommand {
  Input input;
  std::string output;  ///< Empty: the default; "-": standard output.
  ConvertOptions options;
  ProgressMode progress = ProgressMode::Auto;
  std::string template_file;  ///< Empty: none.
  bool dry_run = false;
  bool explain = false;
  bool no_sidecar = false;
  bool quiet = false;

  [[nodiscard]] bool to_stdout() const { return output == "-"; }
  /// Where the summary goes: away from the tensors.
  [[nodiscard]] std::FILE* report_stream() const { return to_stdout() ? stderr : stdout; }
  [[nodiscard]] std::filesystem::path output_path() const;
  [[nodiscard]] std::string output_name() const { return output_path().filename().string(); }
  /// A file of that name in the output's folder.
  [[nodiscard]] std::filesystem::path path_beside(const std::string& name) const;
};

void declare_convert(CLI::App& app, ConvertCommand& command);

/// The library's options, with what has a place of its own on the command line filled in.
ConvertOptions convert_options(const ConvertCommand& command);

}  // namespace weighbridge::cli
