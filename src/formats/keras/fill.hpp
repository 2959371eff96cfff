// The way back to Keras: a saved model of the same architecture, with other weights in it.
#pragma once

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge::keras {

/// Lays `form`, an HDF5 file or a .keras archive, out again with the bytes of its weights exchanged for
/// those of the checkpoint's tensors of the same names (options.names says which), dtypes and shapes. All
/// else stays as it is: groups, attributes, the model's description; the entries of an archive are
/// stored, with checksums of their new content. A training state in `form` stays there, which is noted in
/// `findings` as "TrainingStateKept".
/// Throws TensorNotFound when one is missing on either side, TensorInvalidInfo for another dtype or shape,
/// Unsupported where the weights of `form` do not lie in one piece each; and what reading it throws.
FilePlan plan_filled(const Checkpoint& checkpoint, const SourcePtr& form, const OpenOptions& options,
                     Findings& findings);

}  // namespace weighbridge::keras
