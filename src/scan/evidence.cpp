#include "scan/evidence.hpp"

#include <algorithm>
#include <utility>

namespace weighbridge::scanning {

bool Evidence::take(std::uint64_t& kept, Verdict verdict) {
  report_.verdict = std::max(report_.verdict, verdict);
  if (kept < most_) {
    ++kept;
    return true;
  }
  ++report_.omitted;
  return false;
}

void Evidence::add(ScannedGlobal global) {
  auto& kept = kept_globals_[static_cast<std::size_t>(global.verdict)];
  if (take(kept, global.verdict)) report_.globals.push_back(std::move(global));
}

void Evidence::add(ScanFinding finding) {
  constexpr std::size_t kMostMessage = 4096;
  if (finding.message.size() > kMostMessage) finding.message.resize(kMostMessage);
  auto& kept = kept_findings_[static_cast<std::size_t>(finding.verdict)];
  if (take(kept, finding.verdict)) report_.findings.push_back(std::move(finding));
}

}  // namespace weighbridge::scanning
