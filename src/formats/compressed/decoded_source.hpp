// The content of a compressed stream, readable at any offset: the one mechanism for entries of zip
// archives and for whole compressed files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>

#include "formats/compressed/decoder.hpp"

namespace weighbridge::compressed {

/// A stream, how it is decoded, and how its faults are worded.
struct Stream {
  SourcePtr data;    ///< The compressed bytes and nothing else.
  std::string noun;  ///< Names them in messages: "deflated data".
  DecoderFactory make_decoder;
  /// The error for a fault at that offset in `data`. Called by any thread.
  std::function<Error(ErrorCode, std::string_view what, std::uint64_t offset)> failure;
};

/// A source of `bytes` bytes, decoded as they are read.
///
/// Reading front to back costs one pass over the data. Once somebody reads out of order, copies of
/// the decoder's state are kept every few MiB, at most 200 of them, and a read costs at most the
/// distance from the nearest one. Decoders without copies begin again instead: a read costs at most
/// one pass. Concurrent readers take turns.
///
/// Reads throw stream.failure(MalformedArchive, ...) when the stream is damaged, and when it does
/// not end after exactly `bytes` bytes and with the last compressed byte; LimitExceeded when the
/// decoder needs too much memory.
[[nodiscard]] SourcePtr decoded_source(Stream stream, std::uint64_t bytes);

/// The same for a stream that does not say how long its content is: decodes it once to find out.
/// Content of at most 16 MiB is kept from that pass, or 256 MiB when the decoder has no copies.
/// Throws what reads of a decoded_source throw, and LimitExceeded at the first byte above `most`.
[[nodiscard]] SourcePtr measured_source(Stream stream, std::uint64_t most);

}  // namespace weighbridge::compressed
