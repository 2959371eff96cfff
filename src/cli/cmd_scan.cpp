#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/scan.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/errors.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/scan_files.hpp"
#include "cli/scan_report.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Tells what files would do to a loader that runs their pickles. Looks into archives, streams and nested "
    "files of every name; nothing is executed. Clean files give exit status 0, dangerous ones 4, all others "
    "1.";

/// Files of which verdict change the exit status.
enum class FailOn : std::uint8_t { Any, Unknown, Malformed, Dangerous };

struct Options {
  Input input;  // its file stays empty: there may be several
  std::vector<std::string> paths;
  bool sarif = false;
  bool quiet = false;
  ScanTextStyle style;
  FailOn fail_on = FailOn::Any;
  std::uint32_t depth = Limits().archive_depth;
};

void declare(CLI::App& app, Options& options) {
  add_files(app, options.paths, "PATH",
            "Files and folders, with all that is below them; - is standard input. Links in folders are not "
            "followed.");
  add_flag(app, "-q,--quiet", options.quiet, "Print no report; the exit status tells.");
  add_flag(app, "--problems", options.style.problems_only, "Leave out clean files.");
  add_flag(app, "--all", options.style.all_names, "List the names that are known to be harmless, and notes.");
  add_choice<FailOn>(app, "--fail-on", options.fail_on,
                     {{"any", FailOn::Any},
                      {"unknown", FailOn::Unknown},
                      {"malformed", FailOn::Malformed},
                      {"dangerous", FailOn::Dangerous}},
                     "The mildest verdict that changes the exit status. Default: any but clean.");
  add_value(
      app, "--depth", options.depth, "N",
      fmt::format("Look into archives within archives down to this depth. Default: {}.", options.depth));
  add_sandbox(app, options.input.worker);
  add_json(app, options.input.json);
  add_flag(app, "--sarif", options.sarif, "Print SARIF 2.1.0, as code scanning reads it.");
  exclude(app, "--sarif", "--json");
  add_examples(app, {{"Everything that was downloaded", "weighbridge scan ~/Downloads"},
                     {"A gate for a build", "weighbridge scan --quiet --fail-on unknown models/"},
                     {"For code scanning", "weighbridge scan --sarif models/ > scan.sarif"}});
}

/// All of standard input, in memory: a worker has none. Nothing of it is looked at here.
SourcePtr read_standard_input() {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::vector<std::byte> bytes;
  while (true) {
    const std::size_t filled = bytes.size();
    bytes.resize(filled + kPiece);
    const ssize_t count = ::read(STDIN_FILENO, bytes.data() + filled, kPiece);
    if (count < 0 && errno != EINTR) throw Error::from_errno(errno, "read", "standard input");
    bytes.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return memory_source(Buffer::take(std::move(bytes)));
    if (bytes.size() > kMost) {
      throw Error(ErrorCode::IoError, fmt::format("more than {} bytes on standard input; use a file", kMost));
    }
  }
}

/// Runs in the worker: an open file becomes the bytes of a report.
int scan_to_result(WorkerFiles& files, const SourcePtr& given, const ScanOptions& options) {
  files.put_result(serialize_scan_report(scan(given ? given : files.open_input(), options)));
  return kOk;
}

/// A file that the worker did not survive breaks a limit, or this program.
ScanReport killed_report(const Error& error, const std::string& place) {
  ScanReport report;
  report.verdict = Verdict::Malformed;
  report.findings.push_back({.verdict = Verdict::Malformed,
                             .code = std::string(error_code_name(error.code())),
                             .message = error.what(),
                             .place = place});
  return report;
}

ScanReport scan_path(const std::string& path, const Options& options) {
  ScanOptions scan_options;
  scan_options.name = path;
  scan_options.limits.archive_depth = options.depth;
  scan_options.hdf5 = hdf5_for(options.input.worker);
  WorkerOptions worker = options.input.worker;
  SourcePtr given;
  if (path == "-") {
    given = read_standard_input();
  } else {
    worker.inputs = {path};
  }
  const WorkerResult result =
      run_worker(worker, [&](WorkerFiles& files) { return scan_to_result(files, given, scan_options); });
  end_with_worker(result);
  if (const auto error = worker_error(result)) {
    if (error->code() == ErrorCode::IoError) throw Error(*error);
    return killed_report(*error, path);
  }
  return parse_scan_report(result.bytes);
}

ScannedFile scan_target(const ScanTarget& target, const Options& options) {
  ScannedFile file;
  file.problem = target.problem;
  try {
    if (!file.problem) file.report = scan_path(target.path, options);
  } catch (const Error& error) {
    file.problem = error;
  }
  file.report.name = target.path;
  if (file.problem) report_error({.run = {}, .file = {}, .errors = nullptr}, *file.problem);
  return file;
}

Verdict mildest(FailOn fail_on) {
  switch (fail_on) {
    case FailOn::Any:
      return Verdict::NotCheckpoint;
    case FailOn::Unknown:
      return Verdict::Unknown;
    case FailOn::Malformed:
      return Verdict::Malformed;
    case FailOn::Dangerous:
      break;
  }
  return Verdict::Dangerous;
}

int exit_of(const ScannedFile& file, FailOn fail_on) {
  if (file.problem) return kIo;
  if (file.report.verdict < mildest(fail_on)) return kOk;
  return file.report.verdict == Verdict::Dangerous ? kDangerous : kBadInput;
}

int execute(const Options& options) {
  const bool text = !options.quiet && !options.input.json && !options.sarif;
  std::vector<ScannedFile> files;
  int exit = kOk;
  for (const ScanTarget& target : find_scan_targets(options.paths)) {
    files.push_back(scan_target(target, options));
    exit = std::max(exit, exit_of(files.back(), options.fail_on));
    if (text) print_scanned(files.back(), options.style);
  }
  if (options.input.json) print_json(stdout, scan_json(files));
  if (options.sarif) print_json(stdout, scan_sarif(files));
  if (text) print_scan_totals(files);
  return exit;
}

}  // namespace

void add_scan(CLI::App& app, Invocation& invocation) {
  add_verb<Options>(app, invocation, "scan", kPurpose, declare, execute);
}

}  // namespace weighbridge::cli
