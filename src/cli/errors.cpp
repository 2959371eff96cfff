#include "cli/errors.hpp"

#include <cerrno>
#include <new>
#include <system_error>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/json.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"

namespace weighbridge::cli {
namespace {

// Errors about an output, an argument or a system call say themselves what they are about.
bool is_about_input(const Error& error) {
  switch (error.code()) {
    case ErrorCode::OutputExists:
    case ErrorCode::VerificationFailed:
    case ErrorCode::Cancelled:
    case ErrorCode::InvalidArgument:
      return false;
    case ErrorCode::IoError:
      return error.system_error() == 0;
    default:
      return true;
  }
}

int finish(const Invocation& invocation, const Error& error) {
  report_error(invocation, error);
  return exit_code(error.code());
}

void flush_output() {
  if (std::fflush(stdout) != 0) throw Error::from_errno(errno, "write", "standard output");
}

}  // namespace

int exit_code(ErrorCode code) noexcept {
  const ErrorClass kind = error_class(code);
  return kind == ErrorClass::Cancelled ? 128 + cancelling_signal() : static_cast<int>(kind);
}

void report_error(const Invocation& invocation, const Error& error) {
  const std::string prefix =
      is_about_input(error) && !invocation.file.empty() ? printable(invocation.file) + ": " : "";
  const std::string name = styled(stderr, Style::Error, "weighbridge:");
  fmt::print(stderr, "{} {}{}\n", name, prefix, printable(error.what()));
  if (invocation.errors != nullptr) print_json(invocation.errors, error_json(error));
}

int guarded(const Invocation& invocation, const std::function<int()>& action) {
  try {
    const int code = action();
    flush_output();
    return code;
  } catch (const Error& error) {
    return finish(invocation, error);
  } catch (const std::bad_alloc&) {
    return finish(invocation, Error(ErrorCode::IoError, "out of memory"));
  } catch (const std::system_error& error) {
    // A failed print, or no thread to be had: not about the input.
    return finish({.run = {}, .file = {}, .errors = invocation.errors},
                  Error(ErrorCode::IoError, error.what()));
  }
}

}  // namespace weighbridge::cli
