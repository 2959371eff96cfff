// The chunks of a dataset, as they lie in the file.
#pragma once

#include <memory>

#include "formats/hdf5/chunk_source.hpp"
#include "hdf5/file.hpp"

namespace weighbridge::hdf5 {

/// Chunk sizes and filters. Throws Unsupported for filters that are not read here.
[[nodiscard]] ChunkLayout describe_chunks(hid_t creation, std::string_view path);

/// Keeps `file` open, and the dataset by a reference of its own.
[[nodiscard]] std::unique_ptr<ChunkStore> open_chunks(std::shared_ptr<File> file, hid_t dataset,
                                                      std::string path);

}  // namespace weighbridge::hdf5
