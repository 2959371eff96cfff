// MessagePack, one token at a time: what stands where, without taking anything into memory.
#pragma once

#include <cstdint>
#include <string>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::flax {

enum class TokenKind : std::uint8_t {
  Nil,
  Bool,
  Integer,
  BigInteger,
  Real,
  Text,
  Bytes,
  Extension,
  Array,
  Map
};

/// One value; of an Array or Map its beginning.
struct Token {
  TokenKind kind = TokenKind::Nil;
  std::int64_t integer = 0;         ///< Bool, Integer; of a BigInteger (2^63 and more) the bits.
  double real = 0;                  ///< Real.
  int type = 0;                     ///< Extension: -128 to 127.
  std::uint64_t count = 0;          ///< Array: elements that follow; Map: pairs.
  std::uint64_t at = 0;             ///< Byte of the source where the value begins.
  std::uint64_t payload_at = 0;     ///< Text, Bytes, Extension: where the content begins.
  std::uint64_t payload_bytes = 0;  ///< Text, Bytes, Extension.
};

/// Reads tokens from a stretch of a source, front to back. One thread.
class TokenReader {
 public:
  /// REQUIRES: the stretch lies inside the source.
  TokenReader(SourcePtr source, std::uint64_t begin, std::uint64_t end)
      : source_(std::move(source)), at_(begin), end_(end) {}

  [[nodiscard]] std::uint64_t offset() const noexcept { return at_; }
  [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }

  /// The next token; behind Text, Bytes and Extension the reader stands behind the content. Throws
  /// MalformedCheckpoint for what is no token, for content that is cut off, and for a count that the rest
  /// cannot hold.
  Token next();

  /// The content of a Text or Bytes. Throws LimitExceeded above `most` bytes.
  [[nodiscard]] std::string read_text(const Token& token, std::uint64_t most) const;

 private:
  std::uint8_t take_byte();
  std::uint64_t take_number(unsigned bytes);
  void read_number(Token& token, std::uint8_t code);
  void read_payload(Token& token, std::uint64_t bytes);
  void read_count(Token& token, std::uint64_t count);
  void read_long(Token& token, std::uint8_t code);

  SourcePtr source_;
  std::uint64_t at_;
  std::uint64_t end_;
  Buffer window_;
  std::uint64_t window_at_ = 0;
};

}  // namespace weighbridge::flax
