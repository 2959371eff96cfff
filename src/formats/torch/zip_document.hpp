// The records of one zip archive of torch, and each of its pickles as a document.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/torch/document.hpp"
#include "formats/torch/storage.hpp"
#include "formats/zip/archive.hpp"

namespace weighbridge::torch {

/// Where one pickle is, and what the names of its storages begin with; both below the top folder.
struct PicklePlace {
  std::string pickle;
  std::string storages;
  IdStyle style = IdStyle::Zip;
};

/// One thread. Documents of one object share the sources of their storages, so that tensors of
/// several pickles over the same bytes compare equal.
class ZipRecords {
 public:
  /// Borrows `archive` and `limits`.
  ZipRecords(const zip::Archive& archive, std::string root, const Limits& limits)
      : archive_(archive), root_(std::move(root)), limits_(limits) {}

  /// The entry of that name below the top folder, or null.
  [[nodiscard]] const zip::Entry* find(std::string_view name) const;

  /// Throws MalformedCheckpoint unless the record holds a number from 1 to 10; a missing one is the
  /// finding "MissingVersion".
  void check_version(std::string_view name, Findings& findings) const;

  /// Runs the pickle and opens its storages. Throws MalformedCheckpoint for a storage without a
  /// record or with one of another size, and for a bad byteorder record; what run_reported and
  /// collect_storage_ids throw. REQUIRES: find(place.pickle).
  [[nodiscard]] Document parse(const PicklePlace& place, Findings& findings);

 private:
  [[nodiscard]] std::optional<std::string> find_text(std::string_view name) const;
  [[nodiscard]] bool is_big_endian() const;
  [[nodiscard]] Storage open_storage(const StorageId& id, const std::string& record);

  const zip::Archive& archive_;
  std::string root_;
  const Limits& limits_;
  std::map<const zip::Entry*, SourcePtr> sources_;
};

}  // namespace weighbridge::torch
