// What every reader here throws.
#pragma once

#include <optional>
#include <string>

#include <weighbridge/error.hpp>

namespace weighbridge::tensorflow {

[[noreturn]] inline void refuse(const std::string& what, const std::string& subject = {},
                                std::optional<std::uint64_t> at = std::nullopt) {
  throw Error(ErrorCode::MalformedCheckpoint, "the TensorFlow checkpoint: " + what, subject, at);
}

}  // namespace weighbridge::tensorflow
