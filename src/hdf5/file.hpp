// An HDF5 file whose bytes come from a ByteSource: no path, and nothing that libhdf5 could open.
#pragma once

#include <exception>

#include <weighbridge/byte_source.hpp>

#include "hdf5/handle.hpp"

namespace weighbridge::hdf5 {

/// One file, open for reading. Its identifiers end before it does. One thread at a time.
class File {
 public:
  /// Throws MalformedCheckpoint, and what reading `source` throws.
  explicit File(SourcePtr source);
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  [[nodiscard]] hid_t id() const noexcept { return file_.get(); }
  [[nodiscard]] const SourcePtr& source() const noexcept { return state_.source; }
  /// Throws what reading the source threw since the last call: libhdf5 knows that as a failure only.
  void rethrow();
  /// A chunk is data: reads of it do not count as those of structure.
  void allow(std::uint64_t bytes) noexcept { state_.bytes_left += bytes; }

  /// What the driver sees.
  struct State {
    SourcePtr source;
    std::uint64_t bytes_left = 0;  ///< That libhdf5 may still read; it runs in circles beyond that.
    std::size_t length_bytes = sizeof(std::uint64_t);  ///< Of a length in the file.
    std::exception_ptr error = {};
  };

 private:
  State state_;
  Handle file_;
};

}  // namespace weighbridge::hdf5
