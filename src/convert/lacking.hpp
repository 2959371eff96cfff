// What an output format does not have: types of tensors, second names for them, metadata.
#pragma once

#include <functional>
#include <string_view>

#include <weighbridge/convert.hpp>

namespace weighbridge {

/// An output format, as far as its types go.
struct TypesOfFormat {
  std::string_view name;  ///< In messages: "NumPy".
  std::function<bool(const TensorSpec&)> has = {};
  DType bytes = DType::U8;  ///< What bytes of unknown meaning are there.
};

/// Tensors that the format does not have get its type of bytes, and keep their own; the finding
/// "DTypeAsBytes" names them. With LackingPolicy::Refuse the first is Unsupported.
void replace_lacking(Checkpoint& checkpoint, const TypesOfFormat& types, LackingPolicy policy);

/// For formats without tied tensors: aliases become tensors with bytes of their own, and the finding
/// "TiedTensorsCopied" says so.
void copy_tied(Checkpoint& checkpoint, std::string_view format);

/// The finding "MetadataNotKept" names every entry that is neither an alias nor `kept` in another way.
void report_lost_metadata(Checkpoint& checkpoint, std::string_view format,
                          const std::function<bool(std::string_view)>& kept = {});

}  // namespace weighbridge
