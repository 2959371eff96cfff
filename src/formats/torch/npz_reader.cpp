#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/bundle_extras.hpp"
#include "formats/checked_source.hpp"
#include "formats/key.hpp"
#include "formats/numpy/npy.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/report.hpp"
#include "formats/zip/archive.hpp"
#include "formats/zip/crc32.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::string_view kSuffix = ".npy";
constexpr std::string_view kLoneArray = "array";  ///< What read_npy() calls the array of a file.
constexpr std::uint64_t kLocalHeaderBytes = 30;
constexpr std::size_t kNameLengthAt = 26;

bool is_npz(const zip::Archive& archive) {
  const auto is_npy = [](const zip::Entry& entry) { return entry.name.ends_with(kSuffix); };
  return !archive.entries().empty() && std::ranges::all_of(archive.entries(), is_npy);
}

class NpzReader {
 public:
  NpzReader(const zip::Archive& archive, const OpenOptions& options) : archive_(archive), options_(options) {}

  Checkpoint run() {
    const std::string key = options_.key.value_or(std::string(kWholeFile));
    for (const zip::Entry& entry : archive_.entries()) {
      const std::string_view name =
          std::string_view(entry.name).substr(0, entry.name.size() - kSuffix.size());
      if (const auto selected = select_name(name, key)) read(entry, std::string(*selected));
    }
    check_names();
    return finish(key);
  }

 private:
  void read(const zip::Entry& entry, const std::string& name) {
    try {
      read_member(entry, name);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::IoError) throw;
      throw with_danger(Error(error.code(), fmt::format("'{}': {}", printable(entry.name), error.what()),
                              entry.name, error.offset()),
                        result_.findings);
    }
  }

  void read_member(const zip::Entry& entry, const std::string& name) {
    // A source of its own: one that was read from keeps an inflater, and an archive has many entries.
    numpy::NpyHeader header = numpy::parse_npy_header(*archive_.open(entry));
    SourcePtr content = archive_.open(entry);
    if (numpy::holds_objects(*header.type)) {
      read_values(content, entry, name, true);  // says what is dangerous, damaged or not
      return zip::check_crc32(entry, *archive_.open(entry));
    }
    numpy::resolve_void(header, options_.numpy_void);
    content = checked_source(std::move(content), check_of(entry));
    const numpy::Array array = numpy::npy_array(header, content, options_.limits);
    if (!numpy::holds_numbers(array) || numpy::holds_other(array)) {
      return read_values(std::move(content), entry, name, false);
    }
    Findings findings;
    report_rest(*content, array.offset + array.bytes, findings);
    add_findings(entry, std::move(findings));
    std::ranges::move(numpy::tensors_of(array, name, options_), std::back_inserter(result_.tensors));
  }

  /// numpy refuses an entry with another checksum than that of the directory. It is looked at before the
  /// first of the array's bytes is given away: listing an archive reads none.
  [[nodiscard]] OnceCheckedPtr check_of(const zip::Entry& entry) const {
    return check_once([entry, content = archive_.open(entry)] { zip::check_crc32(entry, *content); });
  }

  /// An array with parts that are no numbers: these become extras.
  void read_values(SourcePtr content, const zip::Entry& entry, const std::string& name, bool objects) {
    OpenOptions whole = options_;
    whole.key = kWholeFile;
    Checkpoint part = read_npy(std::move(content), whole);
    for (TensorEntry& tensor : part.tensors) {
      std::string& own = tensor.spec.name;
      own = fmt::format("{}{}{}", name, objects ? "." : "", objects ? own : own.substr(kLoneArray.size()));
      result_.tensors.push_back(std::move(tensor));
    }
    add_findings(entry, std::move(part.findings));
    extras_.push_back({.prefix = objects ? name + "." : name, .extras = std::move(part.extras)});
  }

  void add_findings(const zip::Entry& entry, Findings findings) {
    for (Finding& finding : findings) {
      finding.message = fmt::format("'{}': {}", printable(entry.name), finding.message);
      result_.findings.push_back(std::move(finding));
    }
  }

  /// A field of one array can have the name of another array.
  void check_names() const {
    std::set<std::string_view> names;
    for (const TensorEntry& tensor : result_.tensors) {
      if (names.insert(tensor.spec.name).second) continue;
      throw Error(ErrorCode::NameCollision,
                  fmt::format("two arrays would be named '{}'", printable(tensor.spec.name)),
                  tensor.spec.name);
    }
  }

  Checkpoint finish(const std::string& key) {
    if (result_.tensors.empty() && extras_.empty() && key != kWholeFile) {
      throw Error(ErrorCode::NoTensors,
                  fmt::format("no array is named '{0}' or starts with '{0}.'", printable(key)), key);
    }
    result_.format = "npz";
    result_.root = key;
    result_.metadata = Metadata{{"format", "np"}};
    result_.candidates.push_back({key, result_.tensors.size()});
    if (!extras_.empty()) result_.extras = join_extras(std::move(extras_));
    return std::move(result_);
  }

  const zip::Archive& archive_;
  const OpenOptions& options_;
  Checkpoint result_;
  std::vector<ExtrasPart> extras_;
};

}  // namespace

bool looks_like_npz(const ByteSource& source) {
  std::array<std::byte, kLocalHeaderBytes> header{};
  if (source.size() < header.size() || !zip::looks_like_zip(source)) return false;
  source.read_at(0, header);
  const auto length = load_le<std::uint16_t>(header.data() + kNameLengthAt);
  if (length < kSuffix.size() || source.size() < header.size() + length) return false;
  std::array<char, kSuffix.size()> end{};
  source.read_at(header.size() + length - end.size(), std::as_writable_bytes(std::span(end)));
  return std::ranges::equal(end, kSuffix);
}

Checkpoint read_npz(SourcePtr source, const OpenOptions& options) {
  const zip::Archive archive = zip::Archive::read(source, options.limits, zip::NameCase::Distinct);
  if (!is_npz(archive)) return read_zip(std::move(source), options);
  Checkpoint checkpoint = NpzReader(archive, options).run();
  const Findings& findings = archive.findings();
  checkpoint.findings.insert(checkpoint.findings.begin(), findings.begin(), findings.end());
  return checkpoint;
}

}  // namespace weighbridge::torch
