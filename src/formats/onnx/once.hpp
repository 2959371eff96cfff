// Fields that may stand in a message once. Parsers of protocol buffers take the last of several, or merge
// messages, and not all alike: a file that has two of them is refused.
#pragma once

#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "formats/onnx/wire.hpp"

namespace weighbridge::onnx {

class Once {
 public:
  /// Throws MalformedCheckpoint for the second field of that number. REQUIRES: number < 64.
  void check(const Field& field, std::string_view what) {
    const std::uint64_t bit = std::uint64_t{1} << field.number;
    if ((seen_ & bit) != 0) refuse_wire(fmt::format("{} stands there twice", what), field.begin);
    seen_ |= bit;
  }

 private:
  std::uint64_t seen_ = 0;
};

}  // namespace weighbridge::onnx
