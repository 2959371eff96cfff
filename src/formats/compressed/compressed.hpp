// Compressed files: what is inside, as a source of its own. Limits and reasons:
// docs/formats/compressed.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

namespace weighbridge::compressed {

enum class Codec : std::uint8_t {
  Zlib,
  Gzip,
  Bzip2,
  Xz,
  Lzma,  ///< The older container of the same codec, without a magic number.
  Lz4,
  JoblibZ,  ///< joblib up to 0.9: "ZF", the length as text, zlib data.
};

/// The codec that the first bytes belong to. Four of them say "zlib" and three "lzma", so that a
/// caller asks for formats with longer signatures first.
[[nodiscard]] std::optional<Codec> find_codec(const ByteSource& source);

/// "zlib", "gzip", "bzip2", "xz", "lzma", "lz4", "joblib-z".
[[nodiscard]] std::string_view codec_name(Codec codec) noexcept;

/// The content of a whole compressed file, decoded once now and, unless it is small, again as it is
/// read (decoded_source.hpp). Members that follow each other count as one stream where the codec's
/// tools see it so; nothing else may follow.
///
/// Throws MalformedArchive for a damaged or cut-off stream, trailing bytes, and a Z-file of another
/// length than it says; LimitExceeded when the content is larger than
/// max(limits.inflated_floor, limits.inflated_ratio x compressed size) or needs 256 MiB to decode.
[[nodiscard]] SourcePtr decompressed_source(SourcePtr compressed, Codec codec, const Limits& limits);

}  // namespace weighbridge::compressed
