// The two tables of a tar file of torch 0.1: what its pickle calls by decimal numbers.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Storages and tensors by their key; no key is in both.
struct TarTables {
  std::vector<Storage> storages;  ///< Views of storages behind the storages themselves.
  std::map<std::int64_t, std::size_t> storage_of;
  std::map<std::int64_t, TableTensor> tensors;
};

/// Reads the members `storages` and `tensors`, each to its last byte. Throws MalformedCheckpoint for
/// a table that ends early or late, a key that is there twice or missing, a view outside of its
/// storage, negative numbers; what run_reported throws; LimitExceeded.
TarTables parse_tar_tables(const SourcePtr& storages, const SourcePtr& tensors, bool big_endian,
                           const Limits& limits, Findings& findings);

}  // namespace weighbridge::torch
