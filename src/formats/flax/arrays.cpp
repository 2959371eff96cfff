#include "formats/flax/arrays.hpp"

#include <memory>
#include <utility>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/numpy/joined_source.hpp"
#include "formats/numpy/scalar_type.hpp"

namespace weighbridge::flax {
namespace {

constexpr std::uint64_t kLongestDtype = 64;

[[noreturn]] void refuse(const std::string& what, std::uint64_t offset) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("an array: {} (byte {})", what, offset), {},
              offset);
}

Shape parse_shape(TokenReader& reader, const Limits& limits) {
  const Token list = reader.next();
  if (list.kind != TokenKind::Array) refuse("the shape is no list", list.at);
  if (list.count > limits.rank) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("{} dimensions, the limit is {}", list.count, limits.rank), {}, list.at);
  }
  Shape shape;
  for (std::uint64_t i = 0; i < list.count; ++i) {
    const Token size = reader.next();
    if (size.kind != TokenKind::Integer || size.integer < 0)
      refuse("a size is no number, or negative", size.at);
    shape.push_back(static_cast<std::uint64_t>(size.integer));
  }
  return shape;
}

/// The name is text, or bytes as old versions wrote it.
std::shared_ptr<const numpy::DataType> parse_dtype(TokenReader& reader) {
  const Token token = reader.next();
  if (token.kind != TokenKind::Text && token.kind != TokenKind::Bytes)
    refuse("the dtype has no name", token.at);
  const std::string name = reader.read_text(token, kLongestDtype);
  auto type = numpy::find_scalar_class("numpy", name);
  if (!type) type = numpy::find_scalar_class("ml_dtypes", name);
  if (!type && name == "complex128") type = numpy::find_scalar_type("c16");
  const bool is_number = type && (numpy::find_dtype(*type) || numpy::is_complex(*type));
  if (!is_number) {
    throw Error(
        ErrorCode::Unsupported,
        fmt::format("arrays of '{}' have no type in a safetensors file (byte {})", printable(name), token.at),
        {}, token.at);
  }
  return std::make_shared<const numpy::DataType>(numpy::plain_type(std::move(*type)));
}

}  // namespace

numpy::Array parse_array(const SourcePtr& source, const Token& extension, const Limits& limits) {
  const std::uint64_t end = extension.payload_at + extension.payload_bytes;
  TokenReader reader(source, extension.payload_at, end);
  const Token list = reader.next();
  if (list.kind != TokenKind::Array || list.count != 3) refuse("[shape, dtype, bytes] is needed", list.at);
  Shape shape = parse_shape(reader, limits);
  auto type = parse_dtype(reader);
  const Token data = reader.next();
  if (data.kind != TokenKind::Text && data.kind != TokenKind::Bytes)
    refuse("the content is no bytes", data.at);
  if (!reader.at_end()) refuse("more follows its bytes", reader.offset());
  return numpy::make_array(std::move(type), std::move(shape), numpy::Order::RowMajor, source, data.payload_at,
                           data.payload_bytes, limits);
}

numpy::Array join_arrays(const std::vector<const numpy::Array*>& pieces, Shape shape, const Limits& limits) {
  if (pieces.empty()) throw Error(ErrorCode::MalformedCheckpoint, "a chunked array without chunks");
  const numpy::Array& first = *pieces.front();
  std::vector<numpy::Stretch> stretches;
  std::uint64_t bytes = 0;
  for (const numpy::Array* piece : pieces) {
    if (numpy::type_text(*piece->type) != numpy::type_text(*first.type)) {
      throw Error(ErrorCode::MalformedCheckpoint,
                  fmt::format("a chunked array has chunks of {} and {}", numpy::type_text(*first.type),
                              numpy::type_text(*piece->type)));
    }
    stretches.push_back({piece->source, piece->offset, piece->bytes});
    bytes += piece->bytes;  // of one file, so that the sum fits
  }
  return numpy::make_array(first.type, std::move(shape), numpy::Order::RowMajor, numpy::join(stretches), 0,
                           bytes, limits);
}

}  // namespace weighbridge::flax
