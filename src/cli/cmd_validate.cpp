#include <algorithm>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "cli/errors.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Checks files and lists all that is wrong or odd. Errors and files that cannot be used give exit status "
    "1, warnings 0 or, with --strict, 1; code that a loader of pickles would run gives 4.";

struct Options {
  Input input;  // its file stays empty: there may be several
  std::vector<std::string> files;
  bool strict = false;
};

struct Verdict {
  std::string file;
  std::string format;  // empty when it could not be told
  Findings findings;
  int exit = kOk;
};

void declare(CLI::App& app, Options& options) {
  add_files(app, options.files, "FILE", "Safetensors files and PyTorch checkpoints, told apart by content.");
  add_flag(app, "--strict", options.strict, "Let warnings give exit status 1 too.");
  add_json(app, options.input.json);
  add_examples(app, {{"One file", "weighbridge validate model.safetensors"},
                     {"A whole folder, warnings included", "weighbridge validate --strict models/*"}});
}

Finding error_finding(const Error& error) {
  const bool danger = error.code() == ErrorCode::DangerousContent;
  return {.severity = danger ? Severity::Danger : Severity::Error,
          .code = std::string(error_code_name(error.code())),
          .message = error.what(),
          .subject = error.subject(),
          .offset = error.offset()};
}

// A file may be too broken to be told by its content; its name then says what it should have been.
bool is_safetensors(const ByteSource& source, const std::string& file) {
  const auto format = find_format(source);
  return format ? format == "safetensors" : file.ends_with(".safetensors");
}

// The header's own check lists all that is wrong; reading a checkpoint ends at the first error.
void check_content(const SourcePtr& source, const OpenOptions& options, Verdict& verdict) {
  if (is_safetensors(*source, verdict.file)) {
    verdict.format = "safetensors";
    verdict.findings = validate_header(*source);
    return;
  }
  try {
    const Checkpoint checkpoint = read_checkpoint(source, options);
    verdict.format = checkpoint.format;
    verdict.findings = checkpoint.findings;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError) throw;
    verdict.findings = {error_finding(error)};
  }
}

int severity_exit(Severity severity, bool strict) {
  switch (severity) {
    case Severity::Info:
      return kOk;
    case Severity::Warning:
      return strict ? kBadInput : kOk;
    case Severity::Error:
      return kBadInput;
    case Severity::Danger:
      return kDangerous;
  }
  return kBadInput;
}

Verdict check_file(const Options& options, std::size_t number, WorkerFiles& files) {
  Verdict verdict;
  verdict.file = options.files[number];
  try {
    OpenOptions open;
    open.folder = files.input_folder(number);
    open.hdf5 = hdf5_for(options.input.worker);
    check_content(files.open_input(number), open, verdict);
  } catch (const Error& error) {
    verdict.findings = {error_finding(error)};
    verdict.exit = exit_code(error.code());
  }
  for (const Finding& finding : verdict.findings) {
    verdict.exit = std::max(verdict.exit, severity_exit(finding.severity, options.strict));
  }
  return verdict;
}

std::string_view status(const Verdict& verdict) {
  if (verdict.exit == kIo) return "unreadable";
  if (verdict.findings.empty()) return "ok";
  return severity_name(std::ranges::max(verdict.findings, {}, &Finding::severity).severity);
}

void print_verdict(const Verdict& verdict) {
  const std::string format = verdict.format.empty() ? "" : fmt::format(" ({})", printable(verdict.format));
  fmt::print("{}: {}{}\n", printable(verdict.file), status(verdict), format);
  print_findings(stdout, verdict.findings);
}

Json verdict_json(const Verdict& verdict) {
  return {{"file", verdict.file},
          {"format", verdict.format.empty() ? Json(nullptr) : Json(verdict.format)},
          {"status", status(verdict)},
          {"findings", findings_json(verdict.findings)}};
}

WorkerOptions prepare(const Options& options) {
  WorkerOptions worker = options.input.worker;
  worker.inputs.assign(options.files.begin(), options.files.end());
  return worker;
}

int execute(const Options& options, WorkerFiles& files) {
  int exit = kOk;
  Json verdicts = Json::array();
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    const Verdict verdict = check_file(options, i, files);
    exit = std::max(exit, verdict.exit);
    if (options.input.json) {
      verdicts.push_back(verdict_json(verdict));
    } else {
      print_verdict(verdict);
    }
  }
  if (options.input.json) {
    Json json = document("validate");
    json["files"] = std::move(verdicts);
    print_json(stdout, json);
  }
  return exit;
}

}  // namespace

void add_validate(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "validate", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
