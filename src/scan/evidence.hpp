// What a scan has found so far.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <weighbridge/scan.hpp>

namespace weighbridge::scanning {

/// Collects globals and findings for a report. Of each verdict at most `most` of each are kept, so that a
/// file cannot drown the worst of it.
class Evidence {
 public:
  explicit Evidence(std::uint64_t most) : most_(most) {}

  void add(ScannedGlobal global);
  void add(ScanFinding finding);
  void count_pickle() noexcept { ++report_.pickles; }

  [[nodiscard]] Verdict verdict() const noexcept { return report_.verdict; }
  [[nodiscard]] std::uint64_t pickles() const noexcept { return report_.pickles; }
  [[nodiscard]] ScanReport finish() && { return std::move(report_); }

 private:
  [[nodiscard]] bool take(std::uint64_t& kept, Verdict verdict);

  ScanReport report_;
  std::uint64_t most_;
  std::uint64_t kept_globals_[5] = {};
  std::uint64_t kept_findings_[5] = {};
};

}  // namespace weighbridge::scanning
