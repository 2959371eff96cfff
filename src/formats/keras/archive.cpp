#include "formats/zip/archive.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/checked_source.hpp"
#include "formats/keras/read.hpp"
#include "formats/zip/crc32.hpp"

namespace weighbridge::keras {
namespace {

constexpr std::string_view kConfig = "config.json";
constexpr std::string_view kMetadata = "metadata.json";
constexpr std::string_view kWeights = "model.weights.h5";
constexpr std::string_view kNumpyWeights = "model.weights.npz";
constexpr std::uint64_t kMostDirectory = std::uint64_t{1} << 20;

/// Names of the directory, which ends the file, without reading it as one: every zip archive is asked.
bool names_entry(const std::string& tail, std::string_view entry) {
  constexpr std::string_view kCentral = "PK\x01\x02";
  constexpr std::size_t kNameAt = 46;
  for (std::size_t at = tail.find(kCentral); at != std::string::npos; at = tail.find(kCentral, at + 1)) {
    if (tail.size() - at >= kNameAt && tail.compare(at + kNameAt, entry.size(), entry) == 0) return true;
  }
  return false;
}

ModelText read_text(const zip::Archive& archive, std::string_view entry, std::string_view name,
                    const Limits& limits) {
  const zip::Entry& found = *archive.find(entry);
  if (found.bytes > limits.header_bytes) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("{} has {} bytes, the limit is {}", entry, found.bytes, limits.header_bytes));
  }
  std::string text(found.bytes, '\0');
  const SourcePtr content = archive.open(found);
  zip::check_crc32(found, *content);
  content->read_at(0, std::as_writable_bytes(std::span(text)));
  return {.name = std::string(name), .text = std::move(text)};
}

/// Keras refuses weights with another checksum than that of the directory. It is looked at before the first
/// byte of a dataset is given away: listing an archive does not read all of it.
void check_datasets(hdf5::Content& content, const zip::Archive& archive, const zip::Entry& weights) {
  const auto look = [weights, bytes = archive.open(weights)] { zip::check_crc32(weights, *bytes); };
  const OnceCheckedPtr check = check_once(look);
  for (hdf5::Dataset& dataset : content.datasets) {
    if (dataset.source != nullptr) dataset.source = checked_source(std::move(dataset.source), check);
  }
}

/// Vocabularies and the like, which no tensor refers to.
void report_assets(const zip::Archive& archive, Findings& findings) {
  std::vector<std::string_view> names;
  for (const zip::Entry& entry : archive.entries()) {
    if (entry.name != kConfig && entry.name != kMetadata && entry.name != kWeights &&
        !entry.name.ends_with('/')) {
      names.emplace_back(entry.name);
    }
  }
  if (names.empty()) return;
  findings.push_back(
      {.severity = Severity::Info,
       .code = "MembersNotRead",
       .message = fmt::format("{} entr{} of the archive hold{} no weights and {} not read: '{}'{}",
                              names.size(), names.size() == 1 ? "y" : "ies", names.size() == 1 ? "s" : "",
                              names.size() == 1 ? "is" : "are", printable(names.front()),
                              names.size() > 1 ? ", ..." : ""),
       .subject = std::string(names.front()),
       .offset = std::nullopt});
}

}  // namespace

bool looks_like_archive(const ByteSource& source) {
  if (!zip::looks_like_zip(source)) return false;
  std::string tail(std::min(source.size(), kMostDirectory), '\0');
  source.read_at(source.size() - tail.size(), std::as_writable_bytes(std::span(tail)));
  return names_entry(tail, kConfig) && (names_entry(tail, kWeights) || names_entry(tail, kNumpyWeights));
}

std::vector<ModelText> read_model_texts(const zip::Archive& archive, const Limits& limits) {
  std::vector<ModelText> texts = {read_text(archive, kConfig, "config", limits)};
  if (archive.find(kMetadata) != nullptr) texts.push_back(read_text(archive, kMetadata, "metadata", limits));
  return texts;
}

Checkpoint read_archive(SourcePtr source, const OpenOptions& options) {
  const zip::Archive archive = zip::Archive::read(std::move(source), options.limits);
  const zip::Entry* weights = archive.find(kWeights);
  if (archive.find(kConfig) == nullptr || weights == nullptr) {
    throw Error(
        ErrorCode::Unsupported,
        fmt::format("this Keras archive keeps its weights in {}, as pickled dicts of arrays; save the model "
                    "again with model.weights.h5",
                    kNumpyWeights),
        std::string(kNumpyWeights));
  }
  std::vector<ModelText> texts = read_model_texts(archive, options.limits);
  hdf5::Content content = parse_hdf5(archive.open(*weights), options);
  check_datasets(content, archive, *weights);
  Checkpoint checkpoint = assemble(std::move(content), std::move(texts), options);
  checkpoint.format = "keras";
  const Findings& findings = archive.findings();
  checkpoint.findings.insert(checkpoint.findings.begin(), findings.begin(), findings.end());
  report_assets(archive, checkpoint.findings);
  return checkpoint;
}

}  // namespace weighbridge::keras
