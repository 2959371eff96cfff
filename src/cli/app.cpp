#include "cli/app.hpp"

#include <weighbridge/text.hpp>
#include <weighbridge/version.hpp>
#include <weighbridge/worker.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>     // App keeps a configuration reader, whose members are defined here,
#include <CLI/Formatter.hpp>  // and a formatter
#include <fmt/format.h>

#include "cli/errors.hpp"
#include "cli/help.hpp"
#include "hdf5/hdf5.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Turns model weights into safetensors: safe, exact, fast. Checkpoints are read without executing "
    "anything that they contain.";

void add_verbs(CLI::App& app, Invocation& invocation) {
  add_convert(app, invocation);
  add_ls(app, invocation);
  add_info(app, invocation);
  add_validate(app, invocation);
  add_scan(app, invocation);
  add_cat(app, invocation);
  add_extract(app, invocation);
  add_hash(app, invocation);
  add_diff(app, invocation);
  add_merge(app, invocation);
  add_split(app, invocation);
  add_meta(app, invocation);
  add_completion(app, invocation);
  add_man(app, invocation);
}

std::string verb_of(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "" : chosen.front()->get_name() + " ";
}

// CLI11 only sees that no command was given.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error, std::string_view first) {
  const bool unknown = app.get_subcommands().empty() && !first.starts_with('-');
  return unknown ? fmt::format("'{}' is no command", printable(first)) : printable(error.what());
}

int report_usage(const CLI::App& app, const CLI::ParseError& error, std::string_view first) {
  fmt::print(stderr, "weighbridge: {}\nTry 'weighbridge {}--help'.\n", usage_message(app, error, first),
             verb_of(app));
  return kUsage;
}

std::string version_text(bool verbose) {
  if (!verbose) return fmt::format("weighbridge {}\n", kVersion);
  const std::string hdf5 = hdf5_version().empty() ? "out HDF5" : fmt::format(" libhdf5 {}", hdf5_version());
  std::string text = fmt::format("weighbridge {}, with{}\n", kVersion, hdf5);
  text += "sandbox of the process that reads files:\n";
  for (const SandboxLayer& layer : probe_sandbox()) {
    text +=
        fmt::format("  {:<18} {:<13} {}\n", layer.name, layer.held ? "holds" : "not available", layer.detail);
  }
  return text;
}

// A help or version text that was asked for, or a mistake in the arguments.
int finish_parse(const CLI::App& app, const CLI::ParseError& error, std::string_view first) {
  if (error.get_exit_code() == 0) {
    const bool version = error.get_name() == "CallForVersion";
    return guarded({}, [&] {
      fmt::print("{}", version ? version_text(app.count("--verbose") > 0) : app.help());
      return kOk;
    });
  }
  return report_usage(app, error, first);
}

}  // namespace

std::shared_ptr<CLI::App> build_app(Invocation& invocation) {
  auto app = std::make_shared<CLI::App>(kPurpose, "weighbridge");
  set_help_layout(*app);
  app->set_help_flag("-h,--help", "Show this text and exit.");
  app->set_version_flag("--version", std::string(kVersion), "Show name and version and exit.");
  app->add_flag_callback(
      "--verbose", [] {}, "With --version: show what holds here of the sandbox that files are read in.");
  app->require_subcommand(1);
  add_verbs(*app, invocation);
  add_examples(*app, {{"Convert a checkpoint", "weighbridge convert model.pt"},
                      {"See what is in a file", "weighbridge ls model.safetensors"}});
  return app;
}

int run(int argc, const char* const* argv) {
  Invocation invocation;
  const auto app = build_app(invocation);
  if (argc < 2) {
    fmt::print(stderr, "{}", app->help());
    return kUsage;
  }
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return finish_parse(*app, error, argv[1]);
  }
  return guarded(invocation, invocation.run);
}

}  // namespace weighbridge::cli
