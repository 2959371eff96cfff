// The attributes of an object.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/hdf5/content.hpp"
#include "hdf5/handle.hpp"

namespace weighbridge::hdf5 {

/// What all attributes and texts of a file may take.
struct Room {
  std::uint64_t bytes = 0;
  std::uint64_t attributes = 0;

  /// Throws LimitExceeded.
  void take(std::uint64_t wanted, std::string_view path);
};

/// In order of their names. Values of numbers and strings are read, of all others only described.
[[nodiscard]] std::vector<Attribute> read_attributes(hid_t object, std::string_view path, Room& room);

/// The dimensions of a dataspace; nothing for one without any content.
[[nodiscard]] std::optional<Shape> read_shape(hid_t space, std::string_view path);

/// A text of fixed length: up to its first NUL, and without the spaces that pad it.
[[nodiscard]] std::string trim_text(std::string_view text, bool padded_by_spaces);

}  // namespace weighbridge::hdf5
