#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "formats/torch/assemble.hpp"
#include "formats/torch/old_script.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/report.hpp"
#include "formats/torch/zip_bundles.hpp"
#include "formats/torch/zip_document.hpp"
#include "formats/torch/zip_layout.hpp"

namespace weighbridge::torch {
namespace {

std::string_view format_name(ZipKind kind) {
  switch (kind) {
    case ZipKind::TorchScript:
      return "torchscript";
    case ZipKind::Mobile:
      return "torchscript-mobile";
    default:
      return "torch-zip";
  }
}

/// The constants of the code: a tuple, of which the n-th is CONSTANTS.c<n> there.
void add_constants(Checkpoint& checkpoint, ZipRecords& records, Findings& findings,
                   const OpenOptions& options) {
  Document document = records.parse({.pickle = "constants.pkl", .storages = "constants/"}, findings);
  OpenOptions whole = options;
  whole.key = ".";
  Checkpoint constants = assemble(std::move(document), "torchscript", {}, whole);
  std::set<std::string, std::less<>> names;
  for (const TensorEntry& entry : checkpoint.tensors) names.insert(entry.spec.name);
  for (TensorEntry& entry : constants.tensors) {
    entry.spec.name = fmt::format("CONSTANTS.c{}", entry.spec.name);
    if (names.contains(entry.spec.name)) {
      throw Error(ErrorCode::NameCollision,
                  fmt::format("a constant and another tensor would be named '{}'", entry.spec.name),
                  entry.spec.name);
    }
    checkpoint.tensors.push_back(std::move(entry));
  }
}

/// Constants are not read unless they are asked for, so that their storages are all that can be counted.
void report_constants(const zip::Archive& archive, const ZipLayout& layout, Findings& findings) {
  const std::string folder = layout.root + "constants/";
  const auto count = std::ranges::count_if(
      archive.entries(), [&](const zip::Entry& entry) { return entry.name.starts_with(folder); });
  if (count == 0) return;
  findings.push_back({.severity = Severity::Info,
                      .code = "ConstantsNotTaken",
                      .message = fmt::format("the code has constants in {} storage{}, which are not taken "
                                             "(--constants takes them)",
                                             count, count == 1 ? "" : "s"),
                      .subject = {},
                      .offset = std::nullopt});
}

/// A file with one main pickle.
Checkpoint read_single(const zip::Archive& archive, const ZipLayout& layout, const OpenOptions& options) {
  ZipRecords records(archive, layout.root, options.limits);
  Findings findings;
  try {
    records.check_version("version", findings);
    Document document = records.parse({.pickle = "data.pkl", .storages = "data/"}, findings);
    Checkpoint checkpoint = assemble(std::move(document), format_name(layout.kind), findings, options);
    if (records.find("constants.pkl") == nullptr) return checkpoint;
    if (options.constants) {
      Findings more;
      add_constants(checkpoint, records, more, options);
      checkpoint.findings.insert(checkpoint.findings.end(), more.begin(), more.end());
    } else {
      report_constants(archive, layout, checkpoint.findings);
    }
    return checkpoint;
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

Checkpoint read_as(const zip::Archive& archive, const ZipLayout& layout, const OpenOptions& options) {
  switch (layout.kind) {
    case ZipKind::Package:
      return read_package(archive, layout, options);
    case ZipKind::Policies:
      return read_policies(archive, options);
    case ZipKind::OldScript:
      return read_old_script(archive, layout, options);
    case ZipKind::Checkpoint:
    case ZipKind::TorchScript:
    case ZipKind::Mobile:
      break;
  }
  return read_single(archive, layout, options);
}

}  // namespace

Checkpoint read_zip(SourcePtr source, const OpenOptions& options) {
  const zip::Archive archive = zip::Archive::read(std::move(source), options.limits);
  Checkpoint checkpoint = read_as(archive, classify_zip(archive), options);
  const Findings& findings = archive.findings();
  checkpoint.findings.insert(checkpoint.findings.begin(), findings.begin(), findings.end());
  return checkpoint;
}

}  // namespace weighbridge::torch
