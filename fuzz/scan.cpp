// Any bytes as a file to be scanned: always a report, and its parts agree with each other.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <weighbridge/scan.hpp>

namespace {

/// Small enough for every input to be quick, large enough to reach every branch.
weighbridge::Limits small_limits() {
  weighbridge::Limits limits;
  limits.pickle_nodes = 20'000;
  limits.pickle_bytes = 1 << 20;
  limits.inflated_floor = 1 << 20;
  limits.inflated_ratio = 20;
  limits.findings = 20;
  return limits;
}

weighbridge::Verdict worst_of(const weighbridge::ScanReport& report) {
  auto worst = weighbridge::Verdict::Clean;
  for (const auto& global : report.globals) worst = std::max(worst, global.verdict);
  for (const auto& finding : report.findings) worst = std::max(worst, finding.verdict);
  return worst;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weighbridge::Buffer buffer(std::as_bytes(std::span(data, size)), nullptr);
  const auto report =
      weighbridge::scan(weighbridge::memory_source(buffer), {.name = "input.pt", .limits = small_limits()});
  if (report.verdict != worst_of(report)) __builtin_trap();
  if (report.format.empty() && report.verdict == weighbridge::Verdict::Clean) __builtin_trap();
  return 0;
}
