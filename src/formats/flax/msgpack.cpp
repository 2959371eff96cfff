#include "formats/flax/msgpack.hpp"

#include <algorithm>
#include <bit>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

namespace weighbridge::flax {
namespace {

constexpr std::uint64_t kWindowBytes = 64 * 1024;

[[noreturn]] void refuse(const std::string& what, std::uint64_t offset) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("msgpack: {} (byte {})", what, offset), {}, offset);
}

std::int64_t sign_extended(std::uint64_t value, unsigned bytes) {
  const unsigned shift = 64 - 8 * bytes;
  return static_cast<std::int64_t>(value << shift) >> shift;
}

}  // namespace

std::uint8_t TokenReader::take_byte() {
  if (at_ == end_) refuse("the data ends where a value is needed", at_);
  if (at_ < window_at_ || at_ - window_at_ >= window_.size()) {
    window_ = source_->read(at_, std::min(kWindowBytes, end_ - at_));
    window_at_ = at_;
  }
  const auto bytes = window_.bytes();
  return std::to_integer<std::uint8_t>(bytes[at_++ - window_at_]);
}

std::uint64_t TokenReader::take_number(unsigned bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value = value << 8 | take_byte();
  return value;
}

void TokenReader::read_payload(Token& token, std::uint64_t bytes) {
  if (token.kind == TokenKind::Extension) token.type = static_cast<int>(sign_extended(take_byte(), 1));
  if (bytes > end_ - at_) {
    refuse(fmt::format("{} bytes of content, {} are left", bytes, end_ - at_), token.at);
  }
  token.payload_at = at_;
  token.payload_bytes = bytes;
  at_ += bytes;
}

/// Every element takes a byte at least.
void TokenReader::read_count(Token& token, std::uint64_t count) {
  const std::uint64_t least = token.kind == TokenKind::Map ? 2 * count : count;
  if (least > end_ - at_) refuse(fmt::format("{} values, {} bytes are left", least, end_ - at_), token.at);
  token.count = count;
}

void TokenReader::read_number(Token& token, std::uint8_t code) {
  if (code == 0xCA) {
    token.kind = TokenKind::Real;
    token.real = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(take_number(4))));
  } else if (code == 0xCB) {
    token.kind = TokenKind::Real;
    token.real = std::bit_cast<double>(take_number(8));
  } else {
    const unsigned bytes = 1U << (code & 3U);
    const std::uint64_t value = take_number(bytes);
    const bool is_signed = code >= 0xD0;
    token.kind = !is_signed && value > INT64_MAX ? TokenKind::BigInteger : TokenKind::Integer;
    token.integer = is_signed ? sign_extended(value, bytes) : static_cast<std::int64_t>(value);
  }
}

/// Codes that are followed by a length of 1, 2 or 4 bytes, or have a length of their own.
void TokenReader::read_long(Token& token, std::uint8_t code) {
  if (code >= 0xC4 && code <= 0xC6) {
    token.kind = TokenKind::Bytes;
    return read_payload(token, take_number(1U << (code - 0xC4U)));
  }
  if (code >= 0xC7 && code <= 0xC9) {
    token.kind = TokenKind::Extension;
    return read_payload(token, take_number(1U << (code - 0xC7U)));
  }
  if (code >= 0xD4 && code <= 0xD8) {
    token.kind = TokenKind::Extension;
    return read_payload(token, std::uint64_t{1} << (code - 0xD4U));
  }
  if (code >= 0xD9 && code <= 0xDB) {
    token.kind = TokenKind::Text;
    return read_payload(token, take_number(1U << (code - 0xD9U)));
  }
  token.kind = code <= 0xDD ? TokenKind::Array : TokenKind::Map;
  read_count(token, take_number((code & 1U) == 0 ? 2 : 4));
}

Token TokenReader::next() {
  Token token{.at = at_};
  const std::uint8_t code = take_byte();
  if (code <= 0x7F || code >= 0xE0) {
    token.kind = TokenKind::Integer;
    token.integer = sign_extended(code, 1);
  } else if (code <= 0x9F) {
    token.kind = code <= 0x8F ? TokenKind::Map : TokenKind::Array;
    read_count(token, code & 0xFU);
  } else if (code <= 0xBF) {
    token.kind = TokenKind::Text;
    read_payload(token, code & 0x1FU);
  } else if (code == 0xC0) {
    token.kind = TokenKind::Nil;
  } else if (code == 0xC1) {
    refuse("0xC1 begins no value", token.at);
  } else if (code <= 0xC3) {
    token.kind = TokenKind::Bool;
    token.integer = code & 1;
  } else if (code >= 0xCA && code <= 0xD3) {
    read_number(token, code);
  } else {
    read_long(token, code);
  }
  return token;
}

std::string TokenReader::read_text(const Token& token, std::uint64_t most) const {
  if (token.payload_bytes > most) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("msgpack: a text of {} bytes, the limit is {} (byte {})", token.payload_bytes,
                            most, token.at),
                {}, token.at);
  }
  std::string text(token.payload_bytes, '\0');
  source_->read_at(token.payload_at, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace weighbridge::flax
