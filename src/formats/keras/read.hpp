// HDF5 files and what Keras makes of them: alone, in an archive, in several files. Rules:
// docs/formats/hdf5.md and docs/formats/keras.md.
//
// All throw Unsupported without options.hdf5, and what it throws.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/keras/extras.hpp"
#include "formats/keras/layout.hpp"
#include "formats/zip/archive.hpp"

namespace weighbridge::keras {

bool looks_like_hdf5(const ByteSource& source);
/// Any HDF5 file: the weights and optimizer state of a model of Keras, or every dataset by its path.
Checkpoint read_hdf5(SourcePtr source, const OpenOptions& options);

/// A zip archive with the description of a model and its weights.
bool looks_like_archive(const ByteSource& source);
/// Keras 3's .keras. Also throws MalformedArchive.
Checkpoint read_archive(SourcePtr source, const OpenOptions& options);

/// An index that maps groups of variables to files of weights: Keras 3's .weights.json.
bool looks_like_weights_index(const ByteSource& source);
/// Reads all files that it names, from options.folder. Throws MalformedCheckpoint for a file that is
/// missing or lacks a group that the index has there, NameCollision for a variable in two files.
Checkpoint read_weights_index(SourcePtr index, const OpenOptions& options);

/// The parsed content of the HDF5 file `source`. Throws Unsupported without options.hdf5.
hdf5::Content parse_hdf5(const SourcePtr& source, const OpenOptions& options);

/// What the model says of itself in the root of a legacy file: removed there and given back.
std::vector<ModelText> take_model_texts(hdf5::Content& content);

/// The same of an archive. Throws LimitExceeded. REQUIRES: config.json in it.
std::vector<ModelText> read_model_texts(const zip::Archive& archive, const Limits& limits);

/// Content as a checkpoint: names, order, training state and all that is no tensor as the options say.
Checkpoint assemble(hdf5::Content content, std::vector<ModelText> texts, const OpenOptions& options);

}  // namespace weighbridge::keras
