// What parses HDF5 files. The implementation over libhdf5 is a library of its own (src/hdf5), which only a
// program links that can run it in a process without rights: libhdf5 takes memory by unchecked sizes, and
// its parser has had many faults.
#pragma once

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

#include "formats/hdf5/content.hpp"

namespace weighbridge {

class Hdf5Library {
 public:
  Hdf5Library() = default;
  Hdf5Library(const Hdf5Library&) = delete;
  Hdf5Library& operator=(const Hdf5Library&) = delete;
  virtual ~Hdf5Library() = default;

  /// Reads the structure; of datasets only short ones of strings and those that lie in an object's header.
  /// Refuses before that whatever leads out of the file or needs code: external and user-defined links,
  /// external storage, virtual datasets, references, filters other than deflate, shuffle, fletcher32 and lzf,
  /// groups that are reached by two paths, soft links that lead to nothing in the file.
  /// Throws MalformedCheckpoint, Unsupported, LimitExceeded, IoError. One thread.
  [[nodiscard]] virtual hdf5::Content read(SourcePtr source, const Limits& limits) const = 0;
};

}  // namespace weighbridge
