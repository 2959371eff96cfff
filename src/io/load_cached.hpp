// Loading through the page cache: copies out of a mapping, and reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "io/load_file.hpp"
#include "io/load_parts.hpp"
#include "io/map_cost.hpp"
#include "io/page_maker.hpp"

namespace weighbridge::io {

/// Parts of one file that one thread does at a time.
struct CachedJob {
  LoadFile* file = nullptr;
  std::span<const LoadPart> parts = {};
};

/// Cuts parts of one file into jobs of about `bytes` each.
void append_jobs(std::vector<CachedJob>& jobs, LoadFile& file, std::span<const LoadPart> parts,
                 std::uint64_t bytes);

/// Does jobs of View and Copy. One for each thread.
class CachedLane {
 public:
  CachedLane(const LoadOptions& options, PageMaker& pages) : options_(options), pages_(pages) {}

  /// Throws IoError.
  void load(const CachedJob& job);

 private:
  void copy_mapped(const LoadPart& part);
  void copy_strided(const ByteSource& source, const LoadPart& whole);
  void map_rows(const ByteSource& source, const LoadPart& part);
  void read_rows(const ByteSource& source, const LoadPart& part);
  void read_part(const LoadFile& file, const LoadPart& part);
  void read_near(const LoadFile& file, std::span<const LoadPart> parts);
  std::span<std::byte> unwanted(std::uint64_t bytes);

  const LoadOptions& options_;
  PageMaker& pages_;
  MapCost map_cost_;
  std::unique_ptr<std::byte[]> unwanted_;  // what lies between two parts goes here
};

}  // namespace weighbridge::io
