// Models of Keras: their loader makes objects of what the description of the model says.
#include <algorithm>

#include <fmt/format.h>

#include "formats/keras/config.hpp"
#include "formats/keras/read.hpp"
#include "scan/content.hpp"

namespace weighbridge::scanning {
namespace {

constexpr std::uint64_t kMostConfig = std::uint64_t{64} << 20;

Verdict verdict_of(const Finding& finding) {
  if (finding.severity == Severity::Danger) return Verdict::Dangerous;
  // Python's parser takes more than JSON: what we cannot read may hide something.
  return finding.code == "KerasConfigUnreadable" ? Verdict::Malformed : Verdict::Unknown;
}

void note_config(Scan& scan, std::string_view text, std::string_view what, const std::string& place) {
  for (const Finding& finding : keras::inspect_text(text, what, scan.limits)) {
    scan.evidence.add(
        {.verdict = verdict_of(finding), .code = finding.code, .message = finding.message, .place = place});
  }
}

}  // namespace

bool is_keras_config(const ByteSource& source) {
  if (source.size() == 0 || source.size() > kMostConfig) return false;
  // Python reads JSON in UTF-16 and UTF-32 too: marks and NULs are no reason to look away.
  constexpr std::string_view kBefore{" \t\r\n\xEF\xBB\xBF\xFF\xFE\0", 10};
  const std::string head = read_head(source, 64);
  const std::size_t first = head.find_first_not_of(kBefore);
  if (first == std::string::npos || head[first] != '{') return false;
  return keras::names_classes(read_head(source, kMostConfig), Limits());
}

std::string scan_keras_config(Scan& scan, const Content& content) {
  scan.charge(content.source->size());
  const std::string text = read_head(*content.source, kMostConfig);
  note_config(scan, text, "the description", content.place);
  return "keras-config";
}

std::string scan_hdf5(Scan& scan, const Content& content) {
  if (scan.hdf5 == nullptr) {
    scan.evidence.add({.verdict = Verdict::Unknown,
                       .code = "Hdf5NotRead",
                       .message = "an HDF5 file, which is looked into by the program's worker alone",
                       .place = content.place});
    return "hdf5";
  }
  scan.charge(content.source->size());
  OpenOptions options;
  options.limits = scan.limits;
  options.hdf5 = scan.hdf5;
  hdf5::Content parsed = keras::parse_hdf5(content.source, options);
  const keras::Layout layout = keras::find_layout(parsed);
  for (const keras::ModelText& text : keras::take_model_texts(parsed)) {
    note_config(scan, text.text, text.name, fmt::format("{}@{}", content.place, text.name));
  }
  return std::string(keras::layout_name(layout));
}

}  // namespace weighbridge::scanning
