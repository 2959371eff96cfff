// Quantised tensors that are kept as the blocks that they are, in files that have no blocks: a tensor of
// bytes, and two entries of metadata that say what it was.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weighbridge/header.hpp>
#include <weighbridge/tensor.hpp>

#include "formats/gguf/tensor_type.hpp"

namespace weighbridge::gguf {

/// The pair that tells programs what to make of a model's tensors.
inline constexpr std::string_view kArchitecture = "general.architecture";

struct RawTensor {
  const TensorType* type = nullptr;
  Shape shape;  ///< In elements.
};

/// [rows…, bytes of a row]. REQUIRES: whole blocks in a row.
[[nodiscard]] Shape raw_shape(const TensorType& type, const Shape& shape);

/// Writes `gguf.type.<name>` and `gguf.shape.<name>`.
void note_raw(Metadata& metadata, std::string_view name, const TensorType& type, const Shape& shape);

/// Writes to `out` what `metadata` notes about the tensor `from`, if anything, as notes about `to`.
void copy_raw_notes(const Metadata& metadata, std::string_view from, std::string_view to, Metadata& out);

/// What the metadata says about a tensor; nothing when it says nothing. Throws MalformedCheckpoint when that
/// cannot be: a type that is not known, a shape that does not go with that of the bytes.
[[nodiscard]] std::optional<RawTensor> find_raw(const std::optional<Metadata>& metadata,
                                                const TensorSpec& spec);

/// Whether the key is one of those that note_raw() writes.
[[nodiscard]] bool is_raw_note(std::string_view key) noexcept;

}  // namespace weighbridge::gguf
