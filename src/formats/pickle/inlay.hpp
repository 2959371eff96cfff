// What is no opcode in the middle of a stream: joblib writes the bytes of an array right behind the
// BUILD of the object that describes it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "formats/pickle/graph.hpp"

namespace weighbridge::pickle {

/// What stands behind a BUILD.
struct InlayShape {
  std::uint64_t padding = 0;  ///< Bytes that mean nothing, in front.
  std::uint64_t bytes = 0;    ///< Of data. Unused for a stream.
  bool is_stream = false;     ///< Instead of data, a stream of its own, up to its STOP.
};

/// Asked behind every BUILD of the outermost stream: `object` with its state, and the byte of the source
/// that follows. Nothing: opcodes go on. May throw Error, which ends the stream.
using FindInlay =
    std::function<std::optional<InlayShape>(const Graph& graph, NodeId object, std::uint64_t position)>;

/// Where an inlay was found.
struct Inlay {
  NodeId object = kNoNode;   ///< What was built in front of it.
  std::uint64_t offset = 0;  ///< Of the data in the source.
  std::uint64_t bytes = 0;
  NodeId root = kNoNode;  ///< Of a stream: what it describes.
};

}  // namespace weighbridge::pickle
