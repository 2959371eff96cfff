// Tensors of types that an output format does not have.
#pragma once

#include <string_view>

#include <weighbridge/convert.hpp>

namespace weighbridge {

/// Tensors whose dtype `has_type` denies become U8 with the same bytes, and the finding "DTypeAsBytes" names
/// them; with LackingPolicy::Refuse the first is Unsupported. `format` names the output in messages: "NumPy".
void replace_lacking(Checkpoint& checkpoint, bool (*has_type)(DType), LackingPolicy policy,
                     std::string_view format);

/// A format without metadata and without tied tensors: aliases become tensors with bytes of their own. The
/// findings "TiedTensorsCopied" and "MetadataNotKept" say so.
void flatten(Checkpoint& checkpoint, std::string_view format);

}  // namespace weighbridge
