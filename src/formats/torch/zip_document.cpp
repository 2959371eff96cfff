#include "formats/torch/zip_document.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/torch/legacy_stream.hpp"
#include "formats/torch/report.hpp"
#include "formats/zip/crc32.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::uint64_t kLongestRecord = 64;
constexpr unsigned kHighestVersion = 10;

void warn(Findings& findings, Severity severity, std::string code, std::string message, std::string subject) {
  findings.push_back({.severity = severity,
                      .code = std::move(code),
                      .message = std::move(message),
                      .subject = std::move(subject),
                      .offset = std::nullopt});
}

/// torch itself never looks at checksums, and can be told to write none.
void check_checksum(const zip::Entry& entry, const ByteSource& source, Findings& findings) {
  if (entry.crc32 == 0) {
    return warn(findings, Severity::Info, "NoChecksum",
                fmt::format("'{}' has no checksum", printable(entry.name)), entry.name);
  }
  const std::uint32_t found = zip::compute_crc32(source);
  if (found == entry.crc32) return;
  warn(findings, Severity::Warning, "CrcMismatch",
       fmt::format("'{}' has CRC-32 {:08x}, the directory says {:08x}", printable(entry.name), found,
                   entry.crc32),
       entry.name);
}

}  // namespace

const zip::Entry* ZipRecords::find(std::string_view name) const {
  return archive_.find(root_ + std::string(name));
}

/// The content of a record of a few characters, without the line's end.
std::optional<std::string> ZipRecords::find_text(std::string_view name) const {
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

void ZipRecords::check_version(std::string_view name, Findings& findings) const {
  const auto text = find_text(name);
  if (!text) {
    return warn(findings, Severity::Warning, "MissingVersion", "the archive has no version record",
                std::string(name));
  }
  unsigned version = 0;
  const char* end = text->data() + text->size();
  const auto [parsed, error] = std::from_chars(text->data(), end, version);
  if (error == std::errc{} && parsed == end && version >= 1 && version <= kHighestVersion) return;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("the version record is '{}', 1 to {} is read", printable(*text), kHighestVersion),
              std::string(name));
}

bool ZipRecords::is_big_endian() const {
  const std::string order = find_text("byteorder").value_or("little");
  if (order == "big") return true;
  if (order == "little") return false;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("the byteorder record is '{}', 'little' or 'big' needed", printable(order)),
              "byteorder");
}

Document ZipRecords::parse(const PicklePlace& place, Findings& findings) {
  const zip::Entry& entry = *find(place.pickle);
  const SourcePtr source = archive_.open(entry);
  pickle::Outcome outcome = run_reported(source, 0, limits_, findings);
  check_checksum(entry, *source, findings);
  Document document;
  document.graph = std::move(outcome.graph);
  document.root = outcome.root;
  const StorageIds ids = collect_storage_ids(document.graph, place.style);
  std::vector<Storage> storages;
  storages.reserve(ids.storages.size());
  const bool big_endian = is_big_endian();
  for (const StorageId& id : ids.storages) {
    storages.push_back(open_storage(id, place.storages + id.key));
    storages.back().big_endian = big_endian;
  }
  bind_storages(document, ids, std::move(storages));
  add_nested_storages(document, 1, limits_, findings);
  return document;
}

Storage ZipRecords::open_storage(const StorageId& id, const std::string& record) {
  const zip::Entry* entry = find(record);
  if (entry == nullptr) {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("storage '{}' has no record '{}{}'", id.key, printable(root_), record), id.key);
  }
  if (entry->bytes != id.bytes) {
    throw Error(ErrorCode::MalformedCheckpoint,
                fmt::format("storage '{}': the record has {} bytes, {} x {} needs {}", id.key, entry->bytes,
                            id.elements, id.type->name, id.bytes),
                id.key);
  }
  SourcePtr& source = sources_[entry];
  if (!source) source = archive_.open(*entry);
  return {.source = source,
          .offset = 0,
          .bytes = id.bytes,
          .type = id.type,
          .big_endian = false,
          .label = fmt::format("storage '{}'", id.key)};
}

}  // namespace weighbridge::torch
