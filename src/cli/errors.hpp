// The one place where errors become messages and exit codes.
#pragma once

#include <functional>

#include <weighbridge/error.hpp>

#include "cli/command.hpp"

namespace weighbridge::cli {

/// The exit code that an error of the library stands for.
int exit_code(ErrorCode code) noexcept;

/// One line on stderr, `weighbridge: <file>: <message>`; as JSON on `invocation.errors` as well.
void report_error(const Invocation& invocation, const Error& error);

/// Runs `action` and reports whatever it throws; gives the exit code of the process. Standard output
/// is flushed, so that a full disk is no success.
int guarded(const Invocation& invocation, const std::function<int()>& action);

}  // namespace weighbridge::cli
