// How the parts of the machine give up on a stream.
#pragma once

#include <string>
#include <utility>

#include <weighbridge/error.hpp>

namespace weighbridge::pickle {

/// Thrown inside this room only: run() adds the opcode and its offset and makes an Error of it.
struct Fault {
  ErrorCode code;
  std::string reason;
};

[[noreturn]] inline void malformed(std::string reason) {
  throw Fault{ErrorCode::MalformedPickle, std::move(reason)};
}

[[noreturn]] inline void limit_exceeded(std::string reason) {
  throw Fault{ErrorCode::LimitExceeded, std::move(reason)};
}

}  // namespace weighbridge::pickle
