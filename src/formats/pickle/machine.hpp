// The pickle virtual machine, protocols 0 to 5, inert: it builds a Graph and does nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/pickle/graph.hpp"
#include "formats/pickle/inlay.hpp"

namespace weighbridge::pickle {

/// What became of one stream.
struct Outcome {
  Graph graph;
  NodeId root = kNoNode;         ///< kNoNode when the stream broke off.
  std::vector<Inlay> inlays;     ///< In order of the stream.
  std::uint64_t end = 0;         ///< Byte behind STOP (or behind the last whole opcode).
  std::optional<Error> failure;  ///< MalformedPickle or LimitExceeded; graph.globals() still tells
                                 ///< what an unpickler would have met before the break.
};

/// Runs the stream that starts at `offset` of `source` up to its STOP. Reads in windows: memory is
/// proportional to the number of opcodes, long payloads stay where they are. `find_inlay` may be
/// empty: then all bytes are opcodes. Throws IoError only.
Outcome run(SourcePtr source, std::uint64_t offset, const Limits& limits, const FindInlay& find_inlay = {});

/// run(), and throws the failure if there is one.
Outcome run_to_end(SourcePtr source, std::uint64_t offset, const Limits& limits);

}  // namespace weighbridge::pickle
