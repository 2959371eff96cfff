#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/assemble.hpp"
#include "formats/torch/legacy_stream.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/report.hpp"
#include "formats/torch/storage.hpp"
#include "formats/torch/zip_layout.hpp"
#include "formats/zip/crc32.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::uint64_t kLongestRecord = 64;
constexpr unsigned kHighestVersion = 10;

/// Reads the parts of one archive.
class ZipParser {
 public:
  ZipParser(const zip::Archive& archive, const ZipLayout& layout, const Limits& limits, Findings& findings)
      : archive_(archive), layout_(layout), limits_(limits), findings_(findings) {}

  Document run() {
    check_version();
    const bool big_endian = parse_big_endian();
    Document document = parse_pickle();
    const StorageIds ids = collect_storage_ids(document.graph, IdStyle::Zip);
    std::vector<Storage> storages;
    storages.reserve(ids.storages.size());
    for (const StorageId& id : ids.storages) storages.push_back(open_storage(id, big_endian));
    bind_storages(document, ids, std::move(storages));
    add_nested_storages(document, 1, limits_, findings_);
    return document;
  }

 private:
  const zip::Entry* find(std::string_view name) const {
    return archive_.find(layout_.root + std::string(name));
  }

  void warn(std::string code, std::string message, std::string subject) {
    findings_.push_back({.severity = Severity::Warning,
                         .code = std::move(code),
                         .message = std::move(message),
                         .subject = std::move(subject),
                         .offset = std::nullopt});
  }

  /// The content of a record of a few characters, without the line's end.
  std::optional<std::string> find_record(std::string_view name) const {
    const zip::Entry* entry = find(name);
    if (entry == nullptr) return std::nullopt;
    if (entry->bytes > kLongestRecord) {
      throw Error(ErrorCode::MalformedCheckpoint,
                  fmt::format("record '{}' has {} bytes, a few needed", name, entry->bytes), entry->name);
    }
    const Buffer buffer = archive_.open(*entry)->read(0, entry->bytes);
    const auto bytes = buffer.bytes();
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    text.erase(text.find_last_not_of("\r\n ") + 1);
    return text;
  }

  void check_version() {
    const auto text = find_record("version");
    if (!text) return warn("MissingVersion", "the archive has no version record", "version");
    unsigned version = 0;
    const char* end = text->data() + text->size();
    const auto [parsed, error] = std::from_chars(text->data(), end, version);
    if (error == std::errc{} && parsed == end && version >= 1 && version <= kHighestVersion) return;
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("the version record is '{}', 1 to {} is read", printable(*text), kHighestVersion),
                "version");
  }

  bool parse_big_endian() const {
    const std::string order = find_record("byteorder").value_or("little");
    if (order == "big") return true;
    if (order == "little") return false;
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("the byteorder record is '{}', 'little' or 'big' needed", printable(order)),
                "byteorder");
  }

  Document parse_pickle() {
    const zip::Entry& entry = *find("data.pkl");
    const SourcePtr source = archive_.open(entry);
    pickle::Outcome outcome = run_reported(source, 0, limits_, findings_);
    check_checksum(entry, *source);
    Document document;
    document.graph = std::move(outcome.graph);
    document.root = outcome.root;
    return document;
  }

  /// torch itself never looks at checksums, and can be told to write none.
  void check_checksum(const zip::Entry& entry, const ByteSource& source) {
    if (entry.crc32 == 0) {
      findings_.push_back({.severity = Severity::Info,
                           .code = "NoChecksum",
                           .message = fmt::format("'{}' has no checksum", printable(entry.name)),
                           .subject = entry.name,
                           .offset = std::nullopt});
      return;
    }
    const std::uint32_t found = zip::compute_crc32(source);
    if (found == entry.crc32) return;
    warn("CrcMismatch",
         fmt::format("'{}' has CRC-32 {:08x}, the directory says {:08x}", printable(entry.name), found,
                     entry.crc32),
         entry.name);
  }

  Storage open_storage(const StorageId& id, bool big_endian) const {
    const zip::Entry* entry = find("data/" + id.key);
    if (entry == nullptr) {
      throw Error(
          ErrorCode::MalformedCheckpoint,
          fmt::format("storage '{}' has no record '{}data/{}'", id.key, printable(layout_.root), id.key),
          id.key);
    }
    if (entry->bytes != id.bytes) {
      throw Error(ErrorCode::MalformedCheckpoint,
                  fmt::format("storage '{}': the record has {} bytes, {} x {} needs {}", id.key, entry->bytes,
                              id.elements, id.type->name, id.bytes),
                  id.key);
    }
    return {.source = archive_.open(*entry),
            .offset = 0,
            .bytes = id.bytes,
            .type = id.type,
            .big_endian = big_endian,
            .label = fmt::format("storage '{}'", id.key)};
  }

  const zip::Archive& archive_;
  const ZipLayout& layout_;
  const Limits& limits_;
  Findings& findings_;
};

}  // namespace

Checkpoint read_zip(SourcePtr source, const OpenOptions& options) {
  const zip::Archive archive = zip::Archive::read(source, options.limits);
  Findings findings = archive.findings();
  try {
    const ZipLayout layout = classify_zip(archive);
    Document document = ZipParser(archive, layout, options.limits, findings).run();
    const bool script = layout.kind == ZipKind::TorchScript;
    return assemble(std::move(document), script ? "torchscript" : "torch-zip", findings, options);
  } catch (const Error& error) {
    throw with_danger(error, findings);
  }
}

}  // namespace weighbridge::torch
