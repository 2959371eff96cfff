// The program: parses its arguments, runs one verb, turns errors into messages and exit codes.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace weighbridge::cli {

/// The whole command line. A parse puts the chosen verb into `invocation`, which must outlive the app.
std::shared_ptr<CLI::App> build_app(Invocation& invocation);

/// Gives the exit code of the process.
int run(int argc, const char* const* argv);

}  // namespace weighbridge::cli
