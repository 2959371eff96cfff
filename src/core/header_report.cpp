#include "core/header_report.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/header_data.hpp"

namespace weighbridge {
namespace {

std::string full_message(Subject subject, std::uint64_t offset, std::string_view what) {
  return fmt::format("{}{} (header byte {})", subject_prefix(subject), what, offset);
}

Severity severity_of(const Findings& findings, std::string_view code) {
  return std::ranges::find(findings, code, &Finding::code)->severity;
}

}  // namespace

std::string short_text(std::string_view text) {
  constexpr std::size_t kLongest = 256;
  if (text.size() <= kLongest) return printable(text);
  return printable(text.substr(0, kLongest)) + "...";
}

std::string subject_prefix(Subject subject) {
  if (!subject) return {};
  if (subject == kMetadataKey) return "__metadata__: ";
  return fmt::format("tensor '{}': ", short_text(*subject));
}

Error HeaderReport::make_error(ErrorCode code, Subject subject, std::uint64_t offset, std::string_view what) {
  return {code, full_message(subject, offset, what), std::string(subject.value_or(std::string_view())),
          offset};
}

void HeaderReport::add(const Error& error) {
  findings_.push_back({Severity::Error, std::string(error_code_name(error.code())), error.what(),
                       error.subject(), error.offset()});
}

void HeaderReport::add_warning(std::string_view code, Subject subject, std::uint64_t offset,
                               std::string_view what) {
  findings_.push_back({Severity::Warning, std::string(code), full_message(subject, offset, what),
                       std::string(subject.value_or(std::string_view())), offset});
}

bool HeaderReport::admit(std::string_view code) {
  auto found = seen_.find(code);
  if (found == seen_.end()) found = seen_.emplace(code, 0).first;
  return ++found->second <= most_;
}

Findings HeaderReport::take() {
  std::ranges::sort(findings_, {}, [](const Finding& finding) {
    return std::tuple(finding.offset.value_or(0), std::string_view(finding.code),
                      std::string_view(finding.message));
  });
  for (const auto& [code, count] : std::exchange(seen_, {})) {
    if (count <= most_) continue;
    findings_.push_back({most_ == 0 ? Severity::Error : severity_of(findings_, code),
                         code,
                         fmt::format("... and {} more", count - most_),
                         {},
                         std::nullopt});
  }
  return std::move(findings_);
}

}  // namespace weighbridge
