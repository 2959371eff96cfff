// How the parts of the machine give up on a stream.
#pragma once

#include <string>
#include <utility>

#include <weighbridge/error.hpp>

namespace weighbridge::pickle {

/// Never leaves a reader: run() adds the opcode and its offset and makes an Error of it, and so does whoever
/// builds a Graph from something else.
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
