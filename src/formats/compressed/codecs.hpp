// One decoder for each codec.
#pragma once

#include <cstdint>
#include <memory>

#include "formats/compressed/decoder.hpp"

namespace weighbridge::compressed {

/// What stands around deflated data.
enum class DeflateFraming : std::uint8_t { Raw, Zlib, Gzip };

/// About 40 KiB of state; can be cloned. One member of a gzip file.
[[nodiscard]] std::unique_ptr<Decoder> make_deflate_decoder(DeflateFraming framing);

/// One stream of a bzip2 file.
[[nodiscard]] std::unique_ptr<Decoder> make_bzip2_decoder();

/// All streams of an xz file and the padding between them; its dictionary may take 256 MiB.
[[nodiscard]] std::unique_ptr<Decoder> make_xz_decoder();

/// A .lzma file, which has no checksum; its dictionary may take 256 MiB.
[[nodiscard]] std::unique_ptr<Decoder> make_lzma_decoder();

/// One frame of an lz4 file.
[[nodiscard]] std::unique_ptr<Decoder> make_lz4_decoder();

/// What may stand between members and behind the last one.
enum class MemberPadding : std::uint8_t { None, Zeros };

/// Members one behind another, as `cat a.gz b.gz` makes them, each read by a decoder of its own.
/// Zeros, where they are padding, end the members: nothing else may follow.
[[nodiscard]] std::unique_ptr<Decoder> make_members_decoder(DecoderFactory make_member,
                                                            MemberPadding padding);

}  // namespace weighbridge::compressed
