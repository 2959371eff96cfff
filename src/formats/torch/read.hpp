// Readers of torch's containers. Each takes the whole file and gives its checkpoint; none touches
// a byte of a tensor. Rules: docs/formats/torch.md.
//
// All throw MalformedPickle, MalformedCheckpoint, Unsupported, LimitExceeded and what a single
// tensor may be refused for; DangerousContent instead when dangerous code was named before.
#pragma once

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::torch {

/// Zip archives: torch.save since 1.6, TorchScript since 1.3. Also throws MalformedArchive.
Checkpoint read_zip(SourcePtr source, const OpenOptions& options);

/// Whether the file starts with the literal magic number of the legacy stream. A first pickle
/// that computes the number is none.
bool looks_like_legacy(const ByteSource& source);

/// The stream of torch.save from 0.1.10 to 1.5.
Checkpoint read_legacy(SourcePtr source, const OpenOptions& options);

/// Whether the file may start a pickle: PROTO of a known protocol, or an opcode that protocols 0
/// and 1 start with.
bool looks_like_pickle(const ByteSource& source);

/// A bare pickle whose tensors came through pickle.dump(). Throws UnknownFormat for a file without
/// PROTO that turns out to be no pickle.
Checkpoint read_raw(SourcePtr source, const OpenOptions& options);

}  // namespace weighbridge::torch
