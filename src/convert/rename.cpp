#include "convert/rename.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.hpp"

namespace weighbridge {
namespace {

constexpr std::size_t kMostNameBytes = 64 * 1024;

/// A rule that is ready, and whether it has matched.
struct Rule {
  std::unique_ptr<RE2> expression;
  std::string replacement;
  bool used = false;
};

std::vector<Rule> compile(const std::vector<RenameRule>& rules) {
  RE2::Options quiet;
  quiet.set_log_errors(false);
  std::vector<Rule> compiled;
  for (const RenameRule& rule : rules) {
    Rule next{.expression = std::make_unique<RE2>(rule.pattern, quiet), .replacement = rule.replacement};
    if (!next.expression->ok()) {
      throw Error(ErrorCode::InvalidArgument,
                  fmt::format("the pattern '{}' is no regular expression: {}", printable(rule.pattern),
                              printable(next.expression->error())));
    }
    std::string error;
    if (!next.expression->CheckRewriteString(rule.replacement, &error)) {
      throw Error(ErrorCode::InvalidArgument, fmt::format("the replacement '{}' does not fit its pattern: {}",
                                                          printable(rule.replacement), printable(error)));
    }
    compiled.push_back(std::move(next));
  }
  return compiled;
}

class Renamer {
 public:
  explicit Renamer(const PassOptions& options)
      : prefix_(options.strip_prefix), rules_(compile(options.rename)) {}

  std::string rename(std::string name) {
    if (!prefix_.empty() && name.starts_with(prefix_)) {
      name.erase(0, prefix_.size());
      stripped_ = true;
    }
    for (Rule& rule : rules_) {
      if (RE2::GlobalReplace(&name, *rule.expression, rule.replacement) > 0) rule.used = true;
      check_length(name);
    }
    return name;
  }

  void report(Findings& findings) const {
    if (!prefix_.empty() && !stripped_) unused(findings, prefix_, "no name starts with");
    for (const Rule& rule : rules_) {
      if (!rule.used) unused(findings, rule.expression->pattern(), "no name matches");
    }
  }

 private:
  static void check_length(const std::string& name) {
    if (name.size() <= kMostNameBytes) return;
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("a name of {} bytes, the limit is {}", name.size(), kMostNameBytes));
  }

  static void unused(Findings& findings, const std::string& pattern, std::string_view what) {
    findings.push_back({.severity = Severity::Warning,
                        .code = "PatternWithoutMatch",
                        .message = fmt::format("{} '{}'", what, printable(pattern)),
                        .subject = pattern,
                        .offset = std::nullopt});
  }

  std::string prefix_;
  std::vector<Rule> rules_;
  bool stripped_ = false;
};

}  // namespace

void rename_tensors(Checkpoint& checkpoint, const PassOptions& options) {
  if (options.strip_prefix.empty() && options.rename.empty()) return;
  Renamer renamer(options);
  std::map<std::string, std::string> old_names;
  for (TensorEntry& entry : checkpoint.tensors) {
    std::string name = renamer.rename(entry.spec.name);
    const auto [other, is_new] = old_names.emplace(name, entry.spec.name);
    if (!is_new) {
      throw Error(ErrorCode::NameCollision,
                  fmt::format("'{}' and '{}' would both be named '{}'", printable(other->second),
                              printable(entry.spec.name), printable(name)),
                  entry.spec.name);
    }
    entry.spec.name = std::move(name);
  }
  renamer.report(checkpoint.findings);
}

}  // namespace weighbridge
