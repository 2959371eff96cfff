// The tar files of torch 0.1.1 to 0.1.9.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/assemble.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/report.hpp"
#include "formats/torch/tar_tables.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::array<std::string_view, 4> kMembers = {"sys_info", "storages", "tensors", "pickle"};
constexpr std::int64_t kProtocolVersion = 1000;

bool has(std::span<const tar::Member> members, std::string_view name) noexcept {
  return std::ranges::find(members, name, &tar::Member::name) != members.end();
}

class TarParser {
 public:
  TarParser(SourcePtr source, std::span<const tar::Member> members, const Limits& limits, Findings& findings)
      : source_(std::move(source)), members_(members), limits_(limits), findings_(findings) {}

  Document run() {
    check_members();
    const bool big_endian = parse_big_endian();
    tables_ = parse_tar_tables(open("storages"), open("tensors"), big_endian, limits_, findings_);
    pickle::Outcome object = run_reported(open("pickle"), 0, limits_, findings_);
    Document document;
    document.graph = std::move(object.graph);
    document.root = object.root;
    document.storages = std::move(tables_.storages);
    for (NodeId node = 0; node < document.graph.size(); ++node) {
      if (document.graph.kind(node) == Kind::Persistent) bind(document, node);
    }
    return document;
  }

 private:
  SourcePtr open(std::string_view name) const {
    const auto member = std::ranges::find(members_, name, &tar::Member::name);
    return sub_source(source_, member->offset, member->bytes);
  }

  void check_members() const {
    const auto stranger = std::ranges::find_if(members_, [](const tar::Member& member) {
      return std::ranges::find(kMembers, member.name) == kMembers.end();
    });
    if (stranger == members_.end()) return;
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("'{}' is no member of a tar file of torch (byte {})", printable(stranger->name),
                            stranger->header_offset),
                stranger->name, stranger->header_offset);
  }

  bool parse_big_endian() const {
    const pickle::Outcome outcome = run_reported(open("sys_info"), 0, limits_, findings_);
    const NodeId version = find_entry(outcome.graph, outcome.root, "protocol_version");
    if (find_integer(outcome.graph, version) != kProtocolVersion) {
      throw Error(ErrorCode::MalformedCheckpoint,
                  fmt::format("tar member 'sys_info': no protocol version {}", kProtocolVersion), "sys_info");
    }
    const NodeId little = find_entry(outcome.graph, outcome.root, "little_endian");
    return kind_of(outcome.graph, little) == Kind::Bool && !outcome.graph.boolean(little);
  }

  /// A persistent id is the decimal key of a tensor or storage, or a tuple that names a class and
  /// its source.
  void bind(Document& document, NodeId node) const {
    const Graph& graph = document.graph;
    const NodeId id = graph.persistent_id(node);
    if (kind_of(graph, id) == Kind::Tuple) return;
    const auto key = parse_key(find_text(graph, id).value_or(""));
    if (!key) refuse(graph, node, "is no decimal number");
    const auto storage = tables_.storage_of.find(*key);
    if (storage != tables_.storage_of.end()) {
      document.storage_of.emplace(node, storage->second);
      return;
    }
    const auto tensor = tables_.tensors.find(*key);
    if (tensor == tables_.tensors.end()) refuse(graph, node, "stands for no storage and no tensor");
    document.table_tensors.emplace(node, tensor->second);
  }

  static std::optional<std::int64_t> parse_key(std::string_view text) {
    std::int64_t key = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    return whole ? std::optional(key) : std::nullopt;
  }

  [[noreturn]] static void refuse(const Graph& graph, NodeId node, std::string_view what) {
    const auto text = find_text(graph, graph.persistent_id(node)).value_or("?");
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("persistent id '{}' {} (pickle byte {})", printable(text.substr(0, 64)), what,
                            graph.offset(node)),
                {}, graph.offset(node));
  }

  SourcePtr source_;
  std::span<const tar::Member> members_;
  const Limits& limits_;
  Findings& findings_;
  TarTables tables_;
};

}  // namespace

bool is_torch_tar(std::span<const tar::Member> members) noexcept {
  return std::ranges::all_of(kMembers, [&](std::string_view name) { return has(members, name); });
}

Checkpoint read_tar(SourcePtr source, std::span<const tar::Member> members, const OpenOptions& options) {
  Findings findings;
  try {
    Document document = TarParser(std::move(source), members, options.limits, findings).run();
    return assemble(std::move(document), "torch-tar", findings, options);
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

}  // namespace weighbridge::torch
