// A model with the tensors of a checkpoint in the places of its own.
#pragma once

#include <cstdint>
#include <string>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/header.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge::onnx {

/// Where the data goes that is to be outside of the model.
struct DataFile {
  std::string name;                   ///< A safetensors file beside the model.
  Header header;                      ///< Of that file: where in it each tensor is.
  std::uint64_t inline_below = 1024;  ///< Data of fewer bytes stands in the model as well.
};

struct FillOptions {
  OpenOptions open;                   ///< With the folder of the model.
  const DataFile* outside = nullptr;  ///< Null: all data stands in the model.
  bool is_own = false;                ///< The checkpoint is this very model: what can stay where it is stays.
};

/// Lays the model in `file` out with the tensors of `checkpoint` by their names, or by those that its
/// metadata has for them. Every initializer of the main graph and of graphs within it is given, and every
/// tensor that is given has a place of its own dtype and shape. Initializers alone can be outside; other
/// tensors, and those that safetensors has no dtype for, stay inside. Throws MalformedCheckpoint naming what
/// is missing, what has no place and what does not fit; Unsupported for new values of a list attribute or of
/// a sparse tensor, for texts and COMPLEX128 in other files and for a model of 2 GiB or more; what
/// parse_model throws.
[[nodiscard]] FilePlan plan_filled(const SourcePtr& file, const Checkpoint& checkpoint,
                                   const FillOptions& options);

}  // namespace weighbridge::onnx
