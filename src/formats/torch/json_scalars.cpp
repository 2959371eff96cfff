#include "formats/torch/json_scalars.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {
namespace {

/// Above it not every integer is a double, which many JSON parsers make of a number.
constexpr std::int64_t kLargestPlainInteger = (std::int64_t{1} << 53) - 1;

using Bytes = std::span<const std::byte>;

unsigned byte_of(Bytes bytes, std::size_t i) {
  return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0;
}

void check_room(const std::string& out, std::uint64_t size, const Limits& limits) {
  if (size > limits.sidecar_bytes || out.size() + 2 * size > limits.sidecar_bytes) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the sidecar would exceed its limit of {} bytes with a value of {} bytes",
                            limits.sidecar_bytes, size));
  }
}

Buffer read_payload(const std::string& out, const Graph& graph, NodeId node, const Limits& limits) {
  const std::uint64_t size = graph.payload_size(node);
  check_room(out, size, limits);
  return graph.payload(node)->read(0, size);
}

std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void append_tagged_bytes(std::string& out, std::string_view tag, Bytes bytes) {
  out += fmt::format("{{\"{}\":\"", tag);
  weighbridge::append_base64(out, bytes);
  out += "\"}";
}

void append_text(std::string& out, const Buffer& payload) {
  const Bytes bytes = payload.bytes();
  if (find_invalid_utf8(as_text(bytes))) return append_tagged_bytes(out, "$text", bytes);
  append_json_string(out, as_text(bytes));
}

/// A str of Python 2 that is ASCII is the same text in Python 3; otherwise it could be anything.
void append_py2_string(std::string& out, const Buffer& payload) {
  const Bytes bytes = payload.bytes();
  const bool ascii = std::ranges::all_of(bytes, [](std::byte b) { return b < std::byte{0x80}; });
  if (!ascii) return append_tagged_bytes(out, "$py2", bytes);
  append_json_string(out, as_text(bytes));
}

void append_integer(std::string& out, std::int64_t value) {
  const bool plain = value >= -kLargestPlainInteger && value <= kLargestPlainInteger;
  out += plain ? fmt::to_string(value) : fmt::format("{{\"$int\":\"{}\"}}", value);
}

/// Two's complement, little-endian, as sign and hexadecimal digits.
void append_big_integer(std::string& out, const Buffer& payload) {
  const Bytes bytes = payload.bytes();
  const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
  std::vector<unsigned> digits(bytes.size());
  unsigned carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned byte = (negative ? ~byte_of(bytes, i) & 0xFFU : byte_of(bytes, i)) + carry;
    digits[i] = byte & 0xFFU;
    carry = byte >> 8;
  }
  if (carry != 0) digits.push_back(carry);
  while (digits.size() > 1 && digits.back() == 0) digits.pop_back();
  out += fmt::format("{{\"$int\":\"{}0x", negative ? "-" : "");
  for (std::size_t i = digits.size(); i-- > 0;) out += fmt::format("{:02x}", digits[i]);
  out += "\"}";
}

/// Which NaN it is, unless it is the usual one.
std::string nan_text(double value) {
  constexpr std::uint64_t kUsual = 0x7FF8000000000000;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return bits == kUsual ? "nan" : fmt::format("nan:{:016x}", bits);
}

void append_real(std::string& out, double value) {
  if (!std::isfinite(value) || (value == 0 && std::signbit(value))) {
    out +=
        fmt::format("{{\"$float\":\"{}\"}}", std::isnan(value) ? nan_text(value) : fmt::format("{}", value));
    return;
  }
  const std::string digits = fmt::format("{}", value);
  out += digits;
  if (digits.find_first_of(".e") == std::string::npos) out += ".0";
}

}  // namespace

bool append_json_scalar(std::string& out, const pickle::Graph& graph, pickle::NodeId node,
                        const Limits& limits) {
  switch (kind_of(graph, node)) {
    case Kind::None:
      out += "null";
      return true;
    case Kind::Bool:
      out += graph.boolean(node) ? "true" : "false";
      return true;
    case Kind::Int:
      append_integer(out, graph.integer(node));
      return true;
    case Kind::Float:
      append_real(out, graph.real(node));
      return true;
    case Kind::BigInt:
      append_big_integer(out, read_payload(out, graph, node, limits));
      return true;
    case Kind::Text:
      append_text(out, read_payload(out, graph, node, limits));
      return true;
    case Kind::Py2String:
      append_py2_string(out, read_payload(out, graph, node, limits));
      return true;
    case Kind::Bytes: {
      const Buffer payload = read_payload(out, graph, node, limits);
      append_tagged_bytes(out, "$bytes", payload.bytes());
      return true;
    }
    case Kind::ByteArray: {
      const Buffer payload = read_payload(out, graph, node, limits);
      append_tagged_bytes(out, "$bytearray", payload.bytes());
      return true;
    }
    default:
      return false;
  }
}

void append_base64(std::string& out, const ByteSource& bytes, const Limits& limits) {
  check_room(out, bytes.size(), limits);
  const Buffer content = bytes.read(0, bytes.size());
  weighbridge::append_base64(out, content.bytes());
}

bool is_plain_key(const pickle::Graph& graph, pickle::NodeId key) {
  const Kind kind = kind_of(graph, key);
  if (kind != Kind::Text && kind != Kind::Py2String) return false;
  const auto text = find_text(graph, key);
  return text && !text->starts_with('$') && !find_invalid_utf8(*text);
}

}  // namespace weighbridge::torch
