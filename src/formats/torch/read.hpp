// Readers of torch's containers. Each takes the whole file and gives its checkpoint; none touches
// a byte of a tensor, but for the tables of nested ones. Rules: docs/formats/torch.md.
//
// All throw MalformedPickle, MalformedCheckpoint, Unsupported, LimitExceeded and what a single
// tensor may be refused for; DangerousContent instead when dangerous code was named before.
#pragma once

#include <span>

#include <weighbridge/checkpoint.hpp>

#include "formats/tar/archive.hpp"

namespace weighbridge::torch {

/// Zip archives: torch.save since 1.6, TorchScript since 1.3. Also throws MalformedArchive.
Checkpoint read_zip(SourcePtr source, const OpenOptions& options);

/// Whether the file starts with the literal magic number of the legacy stream. A first pickle
/// that computes the number is none.
bool looks_like_legacy(const ByteSource& source);

/// The stream of torch.save from 0.1.10 to 1.5.
Checkpoint read_legacy(SourcePtr source, const OpenOptions& options);

/// Whether `members` are those of a file of torch 0.1.1 to 0.1.9.
bool is_torch_tar(std::span<const tar::Member> members) noexcept;

/// Such a file. REQUIRES: is_torch_tar(members), which are those of `source`.
Checkpoint read_tar(SourcePtr source, std::span<const tar::Member> members, const OpenOptions& options);

/// Whether the file may start a pickle: PROTO of a known protocol, or an opcode that protocols 0
/// and 1 start with.
bool looks_like_pickle(const ByteSource& source);

/// A bare pickle: tensors that came through pickle.dump(), numpy arrays, objects with arrays in them;
/// also joblib files. Throws UnknownFormat for a file without PROTO that turns out to be no pickle.
Checkpoint read_raw(SourcePtr source, const OpenOptions& options);

/// Whether the file starts like a zip archive of .npy files.
bool looks_like_npz(const ByteSource& source);

/// An .npz file: a zip archive of .npy files, each a tensor of its entry's name. Archives that hold anything
/// else are read by read_zip(). Also throws MalformedArchive, NameCollision.
Checkpoint read_npz(SourcePtr source, const OpenOptions& options);

/// An .npy file: the tensor "array", or the arrays within an array of objects.
Checkpoint read_npy(SourcePtr source, const OpenOptions& options);

}  // namespace weighbridge::torch
