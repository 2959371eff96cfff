#include "formats/restore/plan.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "core/output_limit.hpp"
#include "formats/pickle/writer.hpp"
#include "formats/restore/tensors.hpp"
#include "formats/restore/tree.hpp"

namespace weighbridge::restore {
namespace {

constexpr std::string_view kFolder = "archive";
constexpr std::uint64_t kAlignment = 64;
constexpr std::int64_t kSidecarVersion = 1;
constexpr std::size_t kMostNamed = 8;

/// Without a sidecar: every tensor under its own name, and under those of its aliases.
void write_flat(pickle::Writer& out, Shelf& shelf) {
  out.empty_dict();
  const auto names = shelf.names();
  if (names.empty()) return;
  out.mark();
  for (const std::string_view name : names) {
    out.text(name);
    shelf.write(out, {.name = name});
  }
  out.set_marked();
}

std::string list_names(const Refused& refused) {
  std::vector<std::string> names;
  for (const auto& [name, count] : refused) {
    if (names.size() < kMostNamed) names.push_back(printable(name));
  }
  const std::size_t more = refused.size() - names.size();
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

void judge_refused(const Refused& refused, Objects objects, Findings& findings) {
  if (refused.empty()) return;
  if (objects == Objects::Refuse) {
    throw Error(
        ErrorCode::Unsupported,
        fmt::format("cannot come back as plain values, tensors and containers: {}", list_names(refused)),
        refused.begin()->first);
  }
  std::uint64_t count = 0;
  for (const auto& [name, times] : refused) count += times;
  findings.push_back(
      {.severity = Severity::Warning,
       .code = "ObjectsDropped",
       .message = fmt::format("{} became None, or plain tensors: {}",
                              count == 1 ? "1 value" : fmt::format("{} values", count), list_names(refused)),
       .subject = refused.begin()->first,
       .offset = std::nullopt});
}

void report_unused(std::size_t unused, Findings& findings) {
  if (unused == 0) return;
  findings.push_back(
      {.severity = Severity::Warning,
       .code = "TensorsNotInSidecar",
       .message = fmt::format("{} tensors have no place in the sidecar and are left out", unused),
       .subject = {},
       .offset = std::nullopt});
}

json::Node tree_of(const json::Document& sidecar) {
  const json::Node tree = sidecar.find(0, "tree");
  if (tree != json::kNone) return tree;
  throw Error(ErrorCode::MalformedCheckpoint, "the sidecar: no object with a tree");
}

zip::NewEntry record(std::string_view name, std::string text) {
  return zip::text_entry(fmt::format("{}/{}", kFolder, name), std::move(text));
}

}  // namespace

json::Document parse_sidecar(SourcePtr source, const Limits& limits) {
  if (source->size() > limits.sidecar_bytes) {
    throw Error(ErrorCode::LimitExceeded, fmt::format("the sidecar has {} bytes, the limit is {}",
                                                      source->size(), limits.sidecar_bytes));
  }
  const Buffer buffer = source->read(0, source->size());
  const auto bytes = buffer.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // A container in the tree may be four values deep: itself, its tag, a pair and the list of pairs.
  json::Document sidecar =
      json::parse(text, "the sidecar", {.values = limits.pickle_nodes, .depth = 4 * limits.walk_depth + 8});
  const json::Node version = sidecar.find(0, "version");
  const bool known = version != json::kNone && sidecar.kind(version) == json::Kind::Integer &&
                     sidecar.integer(version) == kSidecarVersion;
  if (!known) {
    throw Error(ErrorCode::Unsupported, fmt::format("the sidecar is not of version {}", kSidecarVersion));
  }
  return sidecar;
}

FilePlan plan_torch_zip(const Parts& parts, Objects objects, const Limits& limits, Findings& findings) {
  Shelf shelf(parts);
  pickle::Writer pickle;
  if (parts.sidecar == nullptr) {
    write_flat(pickle, shelf);
  } else {
    judge_refused(write_tree(pickle, *parts.sidecar, tree_of(*parts.sidecar), shelf), objects, findings);
  }
  report_unused(shelf.unused(), findings);

  std::vector<zip::NewEntry> entries;
  entries.push_back(record("data.pkl", std::move(pickle).finish()));
  entries.push_back(record(".format_version", "1"));
  entries.push_back(record(".storage_alignment", fmt::to_string(kAlignment)));
  entries.push_back(record("byteorder", "little"));
  std::ranges::move(std::move(shelf).take_storages(kFolder), std::back_inserter(entries));
  entries.push_back(record("version", "3\n"));
  FilePlan plan = zip::plan_stored_archive(std::move(entries), kAlignment);
  check_output_size(plan.total_bytes, parts.model, limits);
  return plan;
}

}  // namespace weighbridge::restore
