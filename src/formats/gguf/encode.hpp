// Key-value pairs on their way into a GGUF file, from a sidecar or a command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf/value_type.hpp"
#include "formats/json/document.hpp"

namespace weighbridge::gguf {

/// A pair as it stands in a little-endian file: `bytes` are its type and its value.
struct EncodedPair {
  std::string key;
  std::string bytes;
};

/// The pairs of a sidecar's "key_values", in their order. Throws MalformedCheckpoint.
[[nodiscard]] std::vector<EncodedPair> encode_pairs(const json::Document& document, json::Node list);

/// "key=type:value", of arrays "key=type[]:value,value". Throws InvalidArgument.
[[nodiscard]] EncodedPair encode_argument(std::string_view text);

[[nodiscard]] EncodedPair encode_text(std::string_view key, std::string_view text);
[[nodiscard]] EncodedPair encode_u32(std::string_view key, std::uint32_t value);

/// The value of a pair that is one u32.
[[nodiscard]] std::optional<std::uint32_t> find_u32(const EncodedPair& pair) noexcept;

/// Appends a number, little-endian; of a text its length and its bytes.
void append_number(std::string& out, std::uint32_t value);
void append_number(std::string& out, std::uint64_t value);
void append_text(std::string& out, std::string_view text);

}  // namespace weighbridge::gguf
