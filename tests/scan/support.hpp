// Small files to be scanned, and what is asked of their reports.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <weighbridge/scan.hpp>

#include "support/pickle_builder.hpp"
#include "support/zip_builder.hpp"

namespace weighbridge::scan_test {

using pickle_test::Stream;
using test::ZipBuilder;

inline ScanReport scan_bytes(std::string bytes, std::string name = "file.pt", const Limits& limits = {}) {
  return scan(memory_source(Buffer::take(std::move(bytes))), {.name = std::move(name), .limits = limits});
}

inline ScanReport scan_stream(const Stream& stream, const Limits& limits = {}) {
  return scan_bytes(stream.bytes(), "file.pkl", limits);
}

/// os.system('true') and nothing else.
inline Stream attack() {
  return Stream().proto(2).global("os", "system").binunicode("true").tuple1().reduce().stop();
}

/// A dict of one number.
inline Stream harmless() {
  return Stream().proto(2).empty_dict().binunicode("epoch").binint1(3).setitem().stop();
}

inline const ScannedGlobal* find_global(const ScanReport& report, std::string_view name) {
  const auto found = std::ranges::find(report.globals, name, &ScannedGlobal::name);
  return found == report.globals.end() ? nullptr : &*found;
}

inline const ScanFinding* find_finding(const ScanReport& report, std::string_view code) {
  const auto found = std::ranges::find(report.findings, code, &ScanFinding::code);
  return found == report.findings.end() ? nullptr : &*found;
}

}  // namespace weighbridge::scan_test
