// One dataset: its type, shape and where its bytes are.
#pragma once

#include <memory>

#include <weighbridge/limits.hpp>

#include "formats/hdf5/chunk_source.hpp"
#include "formats/hdf5/content.hpp"
#include "hdf5/attributes.hpp"
#include "hdf5/file.hpp"

namespace weighbridge::hdf5 {

/// What the datasets of one file share.
struct Surroundings {
  std::shared_ptr<File> file;
  std::shared_ptr<ChunkCache> cache;
  Limits limits;
  Room room;
};

/// Throws Unsupported for what leads out of the file or needs code, MalformedCheckpoint, LimitExceeded.
[[nodiscard]] Dataset read_dataset(Handle dataset, std::string path, Surroundings& around);

}  // namespace weighbridge::hdf5
