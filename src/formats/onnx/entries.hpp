// The entries of a repeated field of numbers, packed, unpacked or both, as parsers of protocol buffers
// have to take them.
#pragma once

#include <cstdint>
#include <optional>

#include "formats/onnx/types.hpp"
#include "formats/onnx/wire.hpp"

namespace weighbridge::onnx {

/// Where a reading of entries stands: it can be taken up again from here.
struct EntryPlace {
  std::uint64_t at = 0;          ///< The next field, or the next entry of a packed one.
  std::uint64_t packed_end = 0;  ///< Of the packed field that `at` is in; 0: in none.
};

/// Reads the field of that number in a message, entry by entry. Fields of other numbers are passed over.
class EntryReader {
 public:
  /// REQUIRES: entries is not None.
  EntryReader(Window& window, Extent message, std::uint32_t number, Entries entries);

  /// The bits of the next entry; nothing behind the last. Throws MalformedCheckpoint for a field of
  /// another wire type.
  [[nodiscard]] std::optional<std::uint64_t> next();

  [[nodiscard]] EntryPlace place() const noexcept { return place_; }
  void go_to(EntryPlace place) noexcept { place_ = place; }

 private:
  [[nodiscard]] std::uint64_t read_one();
  [[nodiscard]] bool find_field();

  Window* window_;
  std::uint64_t end_;
  std::uint32_t number_;
  Wire wire_;
  EntryPlace place_;
};

}  // namespace weighbridge::onnx
