#include <weighbridge/header.hpp>

#include "scan/content.hpp"

namespace weighbridge::scanning {

// There is no code in the format: what is wrong with the header is all that can be wrong.
std::string scan_safetensors(Scan& scan, const Content& content) {
  for (const Finding& finding : validate_header(*content.source, scan.limits)) {
    const bool error = finding.severity >= Severity::Error;
    scan.evidence.add(ScanFinding{.verdict = error ? Verdict::Malformed : Verdict::Clean,
                                  .code = finding.code,
                                  .message = finding.message,
                                  .place = content.place,
                                  .offset = finding.offset});
  }
  return "safetensors";
}

}  // namespace weighbridge::scanning
