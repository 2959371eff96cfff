// The objects that joblib writes in place of arrays, and the bytes that belong to them.
//
// Since 0.10 the bytes follow in the same stream, right behind the BUILD of a NumpyArrayWrapper. Before,
// they lay in files of their own: .npy files (NDArrayWrapper) or Z-files of raw bytes (ZNDArrayWrapper).
#pragma once

#include <string>
#include <vector>

#include <weighbridge/limits.hpp>

#include "formats/numpy/array_nodes.hpp"
#include "formats/pickle/inlay.hpp"

namespace weighbridge::numpy {

/// The kind of wrapper that a node is an instance of: JoblibWrapper, JoblibCompanion,
/// JoblibCompressedCompanion; None for every other node.
pickle::Constructor wrapper_kind(const pickle::Graph& graph, pickle::NodeId node) noexcept;

/// Whether the stream names any of joblib's wrappers.
bool names_wrapper(const pickle::Graph& graph);

/// What FindInlay is for a joblib file in `source`. Throws MalformedCheckpoint for a wrapper that says
/// nothing sensible: no shape or dtype, an order that is neither 'C' nor 'F', more padding than
/// its alignment, more bytes than follow. For one run of the machine.
pickle::FindInlay find_joblib_inlay(SourcePtr source);

/// Adds to `arrays` what the inlays of a stream hold. An array of objects that follows as a stream of
/// its own takes the place of its wrapper. REQUIRES: `arrays` has those of the graph.
void add_inlays(const pickle::Graph& graph, const std::vector<pickle::Inlay>& inlays, const SourcePtr& source,
                const Limits& limits, Arrays& arrays);

/// A wrapper whose data lies in another file.
struct Companion {
  pickle::NodeId node = pickle::kNoNode;
  std::string file;         ///< As the wrapper names it: not checked.
  bool compressed = false;  ///< A Z-file with raw bytes, not an .npy file.
};

/// Every such wrapper of the graph. Throws MalformedCheckpoint for one without the name of its file.
std::vector<Companion> find_companions(const pickle::Graph& graph);

/// The array of a ZNDArrayWrapper over the raw bytes of its file.
/// Throws as find_arrays() does for a single array.
Array array_of_companion(const pickle::Graph& graph, const Companion& companion, SourcePtr data,
                         const Limits& limits);

}  // namespace weighbridge::numpy
