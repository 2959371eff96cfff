// What a Header holds: flat records over names, or over the header's own text.
//
// Memory is at most three times the text, whatever the text says: the text itself, or only the names of
// it; 48 bytes for a tensor (record and two slots of the index), whose entry takes at least 49 bytes of
// text and a name of its own; and as much as the text for the dimensions (8 bytes each, from 2 of text)
// and the pairs of metadata (16 each, from 6) together, which the scan makes sure of. What comes in large
// pages is rounded up to them.
// Positions are 32 bits wide; no longer header is accepted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include <weighbridge/header.hpp>

#include "core/header_strings.hpp"
#include "core/name_hash.hpp"

namespace weighbridge {

/// Bytes of the file before the header's text.
inline constexpr std::uint64_t kHeaderStart = 8;

/// The key that names the metadata, and therefore no tensor.
inline constexpr std::string_view kMetadataKey = "__metadata__";

/// A decoded string of the header: it lies where its first character stood, since decoding
/// escapes never makes a string longer.
struct TextRange {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

/// No tensor has more dimensions, whatever the limits say.
inline constexpr std::uint32_t kMostDims = (std::uint32_t{1} << 24) - 1;

/// A dtype and a shape, whose dimensions lie in Header::Data::dims.
struct TensorType {
  std::uint32_t dims_at = 0;
  std::uint32_t rank : 24 = 0;
  DType dtype : 8 = DType::F32;
};

struct TensorRecord : TensorType {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  TextRange name;
  std::uint32_t text_at = 0;  ///< Where the name stood in the text of the file.
  std::uint32_t name_hash = 0;
};
static_assert(sizeof(TensorRecord) == 40);

struct MetadataRecord {
  TextRange key;
  TextRange value;
};

/// Gives characters back to where they came from.
struct ReleaseText {
  std::pmr::memory_resource* memory = nullptr;
  std::size_t bytes = 0;
  void operator()(char* start) const { memory->deallocate(start, bytes, 1); }
};

/// Characters whose values nobody has set yet.
using HeaderText = std::unique_ptr<char[], ReleaseText>;

[[nodiscard]] inline HeaderText make_text(
    std::size_t bytes, std::pmr::memory_resource& memory = *std::pmr::get_default_resource()) {
  return {static_cast<char*>(memory.allocate(bytes, 1)), ReleaseText{&memory, bytes}};
}

struct Header::Data {
  explicit Data(std::pmr::memory_resource& from = *std::pmr::get_default_resource())
      : dims(&from), tensors(&from), name_index(&from), metadata(&from) {}

  /// Where the rest of this lies, if nobody else takes care of that.
  std::shared_ptr<std::pmr::memory_resource> memory;
  HeaderText text;  ///< What is kept of it: see header_stream.hpp. Escapes are decoded.
  std::pmr::vector<std::uint64_t> dims;
  std::pmr::vector<TensorRecord> tensors;      ///< In order of (begin, end, place in the header).
  std::pmr::vector<std::uint32_t> name_index;  ///< See header_index.hpp.
  NameHash name_hash;
  std::pmr::vector<MetadataRecord> metadata;  ///< In order of key.
  bool has_metadata = false;
  std::uint64_t data_begin = 0;
  std::uint64_t data_bytes = 0;

  [[nodiscard]] std::string_view view(TextRange range) const noexcept {
    return {text.get() + range.at, range.size};
  }
  [[nodiscard]] std::string_view name(std::size_t i) const noexcept { return view(tensors[i].name); }
  [[nodiscard]] std::span<const std::uint64_t> shape(const TensorType& tensor) const noexcept {
    return {dims.data() + tensor.dims_at, tensor.rank};
  }
};

/// Byte of the file where the quote in front of the string stands, which is at its place in the text.
[[nodiscard]] inline std::uint64_t file_offset(TextRange range) noexcept {
  return kHeaderStart + range.at - 1;
}
/// Byte of the file where the quote in front of the tensor's name stands.
[[nodiscard]] inline std::uint64_t file_offset(const TensorRecord& tensor) noexcept {
  return kHeaderStart + tensor.text_at - 1;
}

}  // namespace weighbridge
