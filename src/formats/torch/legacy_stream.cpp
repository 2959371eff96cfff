#include "formats/torch/legacy_stream.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "formats/torch/nodes.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/report.hpp"
#include "formats/torch/storage.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::int64_t kProtocolVersion = 1001;

/// LONG1 of ten bytes, the magic number, STOP.
constexpr std::array<std::uint8_t, 13> kMagic = {0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9,
                                                 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E};
constexpr std::size_t kProtoBytes = 2;
constexpr std::size_t kFrameBytes = 9;

[[noreturn]] void refuse(std::uint64_t offset, const std::string& what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("legacy stream: {} (byte {})", what, offset), {},
              offset);
}

bool bytes_are(const ByteSource& source, std::uint64_t offset, std::span<const std::uint8_t> expected) {
  if (!range_fits(offset, expected.size(), source.size())) return false;
  std::array<std::byte, 16> found;
  const std::span<std::byte> part = std::span(found).first(expected.size());
  source.read_at(offset, part);
  return std::ranges::equal(part, std::as_bytes(expected));
}

/// Position behind the first pickle if it is the literal magic number.
std::optional<std::uint64_t> find_magic_end(const ByteSource& source) {
  for (std::uint8_t protocol = 2; protocol <= 5; ++protocol) {
    const std::array<std::uint8_t, kProtoBytes> proto = {0x80, protocol};
    if (!bytes_are(source, 0, proto)) continue;
    if (bytes_are(source, kProtoBytes, kMagic)) return kProtoBytes + kMagic.size();
    constexpr std::array<std::uint8_t, kFrameBytes> kFrame = {0x95, kMagic.size(), 0, 0, 0, 0, 0, 0, 0};
    if (protocol < 4 || !bytes_are(source, kProtoBytes, kFrame)) return std::nullopt;
    if (bytes_are(source, kProtoBytes + kFrameBytes, kMagic))
      return kProtoBytes + kFrameBytes + kMagic.size();
  }
  return std::nullopt;
}

/// Reads the pickles and records of a stream one after another.
class Parser {
 public:
  Parser(const SourcePtr& source, const Limits& limits, Findings& findings)
      : source_(source), limits_(limits), findings_(findings), at_(find_magic_end(*source).value_or(0)) {}

  Document run(std::uint32_t depth) {
    parse_protocol();
    const bool big_endian = parse_big_endian();
    pickle::Outcome object = next_pickle();
    Document document;
    document.graph = std::move(object.graph);
    document.root = object.root;
    const StorageIds ids = collect_storage_ids(document.graph, IdStyle::Legacy);
    const std::vector<std::string> keys = parse_keys();
    bind_storages(document, ids, parse_records(ids, keys, big_endian));
    add_nested_storages(document, depth, limits_, findings_);
    return document;
  }

 private:
  pickle::Outcome next_pickle() {
    pickle::Outcome outcome = run_reported(source_, at_, limits_, findings_);
    at_ = outcome.end;
    return outcome;
  }

  void parse_protocol() {
    const std::uint64_t begin = at_;
    const pickle::Outcome outcome = next_pickle();
    if (find_integer(outcome.graph, outcome.root) != kProtocolVersion) {
      refuse(begin, fmt::format("its protocol version is not {}", kProtocolVersion));
    }
  }

  bool parse_big_endian() {
    const std::uint64_t begin = at_;
    const pickle::Outcome outcome = next_pickle();
    if (kind_of(outcome.graph, outcome.root) != Kind::Dict)
      refuse(begin, "its system information is no dict");
    const NodeId little = find_entry(outcome.graph, outcome.root, "little_endian");
    return kind_of(outcome.graph, little) == Kind::Bool && !outcome.graph.boolean(little);
  }

  std::vector<std::string> parse_keys() {
    const std::uint64_t begin = at_;
    const pickle::Outcome outcome = next_pickle();
    if (kind_of(outcome.graph, outcome.root) != Kind::List) refuse(begin, "its storage keys are no list");
    std::vector<std::string> keys;
    for (const NodeId node : outcome.graph.items(outcome.root)) {
      const auto text = find_text(outcome.graph, node);
      if (!text) refuse(begin, "a storage key is not a short string");
      keys.emplace_back(*text);
    }
    return keys;
  }

  std::vector<Storage> parse_records(const StorageIds& ids, const std::vector<std::string>& keys,
                                     bool big_endian) {
    std::vector<Storage> storages(ids.storages.size());
    std::set<std::string_view> seen;
    for (const std::string& key : keys) {
      if (!seen.insert(key).second) refuse(at_, fmt::format("storage '{}' is listed twice", key));
      const auto known = ids.by_key.find(key);
      if (known == ids.by_key.end()) {
        skip_unused(key);
        continue;
      }
      Storage storage = parse_record(ids.storages[known->second]);
      storage.big_endian = big_endian;
      storages[known->second] = std::move(storage);
    }
    check_complete(ids, storages);
    report_rest();
    return storages;
  }

  std::int64_t parse_count(std::string_view key) {
    std::array<std::byte, 8> bytes;
    if (!range_fits(at_, bytes.size(), source_->size()))
      refuse(at_, fmt::format("the file ends before storage '{}'", key));
    source_->read_at(at_, bytes);
    return load_le<std::int64_t>(bytes.data());
  }

  Storage parse_record(const StorageId& id) {
    const std::int64_t count = parse_count(id.key);
    if (count < 0 || static_cast<std::uint64_t>(count) != id.elements) {
      refuse(at_,
             fmt::format("storage '{}' has {} elements, the pickle says {}", id.key, count, id.elements));
    }
    at_ += 8;
    if (!range_fits(at_, id.bytes, source_->size())) {
      refuse(at_, fmt::format("storage '{}' needs {} bytes, the file has {} left", id.key, id.bytes,
                              source_->size() - at_));
    }
    const std::uint64_t begin = at_;
    at_ += id.bytes;
    return {.source = source_,
            .offset = begin,
            .bytes = id.bytes,
            .type = id.type,
            .big_endian = false,
            .label = fmt::format("storage '{}'", id.key)};
  }

  /// The file does not say how wide the elements of a storage are that no tensor uses, so that
  /// only an empty one can be stepped over.
  void skip_unused(const std::string& key) {
    if (unused_) return;
    if (range_fits(at_, 8, source_->size()) && parse_count(key) == 0) {
      at_ += 8;
    } else {
      unused_ = true;
    }
  }

  void check_complete(const StorageIds& ids, const std::vector<Storage>& storages) const {
    for (std::size_t i = 0; i < storages.size(); ++i) {
      if (!storages[i].source)
        refuse(at_, fmt::format("storage '{}' is not in the list of storages", ids.storages[i].key));
    }
  }

  void report_rest() {
    if (at_ == source_->size()) return;
    findings_.push_back(
        {.severity = Severity::Warning,
         .code = "TrailingBytes",
         .message = fmt::format("{} bytes behind the last storage that is used", source_->size() - at_),
         .subject = {},
         .offset = at_});
  }

  SourcePtr source_;
  const Limits& limits_;
  Findings& findings_;
  std::uint64_t at_;
  bool unused_ = false;  ///< Behind a storage of unknown size.
};

/// The storage that one nested stream holds.
Storage parse_nested(const Graph& graph, NodeId payload, std::uint32_t depth, const Limits& limits,
                     Findings& findings) {
  const std::uint64_t offset = graph.offset(payload);
  if (depth >= limits.archive_depth) {
    throw Error(ErrorCode::LimitExceeded, fmt::format("{} streams within streams, which is the limit", depth),
                {}, offset);
  }
  const SourcePtr bytes = graph.payload(payload);
  if (!looks_like_legacy(*bytes)) refuse(offset, "the argument of _load_from_bytes is no legacy stream");
  const Document nested = parse_legacy_stream(bytes, depth + 1, limits, findings);
  const Storage* storage = nested.find_storage(nested.root);
  if (storage == nullptr) refuse(offset, "the argument of _load_from_bytes holds no single storage");
  return *storage;
}

bool carries_bytes(const Graph& graph, NodeId node) {
  const Kind kind = kind_of(graph, node);
  return kind == Kind::Bytes || kind == Kind::ByteArray || kind == Kind::Py2String;
}

}  // namespace

bool looks_like_legacy(const ByteSource& source) { return find_magic_end(source).has_value(); }

Document parse_legacy_stream(const SourcePtr& source, std::uint32_t depth, const Limits& limits,
                             Findings& findings) {
  return Parser(source, limits, findings).run(depth);
}

void add_nested_storages(Document& document, std::uint32_t depth, const Limits& limits, Findings& findings) {
  const Graph& graph = document.graph;
  std::map<NodeId, std::size_t> by_payload;
  for (NodeId node = 0; node < graph.size(); ++node) {
    if (callable_of(graph, node) != Constructor::LoadFromBytes) continue;
    const auto arguments = arguments_of(graph, node);
    if (arguments.size() != 1 || !carries_bytes(graph, arguments[0])) {
      refuse(graph.offset(node), "the argument of _load_from_bytes is not bytes");
    }
    const auto [position, fresh] = by_payload.try_emplace(arguments[0], document.storages.size());
    if (fresh) document.storages.push_back(parse_nested(graph, arguments[0], depth, limits, findings));
    document.storage_of.emplace(node, position->second);
  }
}

}  // namespace weighbridge::torch
