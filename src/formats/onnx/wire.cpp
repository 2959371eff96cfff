#include "formats/onnx/wire.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/utf8.hpp"

namespace weighbridge::onnx {
namespace {

constexpr std::size_t kLongestVarint = 10;
constexpr std::size_t kLeastRead = 512;
constexpr std::size_t kMostRead = 64 * 1024;
constexpr std::uint64_t kMostFieldNumber = (1U << 29) - 1;

}  // namespace

Window::Window(const ByteSource& source) : source_(source), size_(source.size()) {
  if (auto whole = source.map(0, size_)) buffer_ = *std::move(whole);
}

std::span<const std::byte> Window::peek(std::uint64_t at, std::size_t wanted) {
  if (at >= size_) return {};
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size_ - at));
  if (at < start_ || !range_fits(at - start_, there, buffer_.size())) move_to(at, there);
  return buffer_.bytes().subspan(static_cast<std::size_t>(at - start_), there);
}

/// Reads further ahead as long as the reading goes on from where it was.
void Window::move_to(std::uint64_t at, std::size_t wanted) {
  const std::uint64_t end = start_ + buffer_.size();
  const bool goes_on = at >= start_ && at <= end;
  const std::size_t ahead = goes_on ? std::clamp(buffer_.size() * 2, kLeastRead, kMostRead) : kLeastRead;
  const auto bytes = std::min<std::uint64_t>(std::max(ahead, wanted), size_ - at);
  buffer_ = source_.read(at, bytes);
  start_ = at;
}

void refuse_wire(std::string_view what, std::uint64_t offset) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("ONNX file: {} (byte {})", what, offset), {},
              offset);
}

std::uint64_t read_varint(Window& window, std::uint64_t& at, std::uint64_t end) {
  const auto bytes =
      window.peek(at, static_cast<std::size_t>(std::min<std::uint64_t>(kLongestVarint, end - at)));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[i]);
    if (i + 1 == kLongestVarint && byte > 1) refuse_wire("a number has more than 64 bits", at);
    value |= (byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      at += i + 1;
      return value;
    }
  }
  refuse_wire("a number ends beyond the message that it stands in", at);
}

std::uint64_t read_fixed(Window& window, std::uint64_t& at, std::uint64_t end, std::uint32_t bytes) {
  if (end - at < bytes) refuse_wire("a number ends beyond the message that it stands in", at);
  const auto found = window.peek(at, bytes);
  if (found.size() < bytes) refuse_wire("a number ends beyond the file", at);
  at += bytes;
  return bytes == 4 ? load_le<std::uint32_t>(found.data()) : load_le<std::uint64_t>(found.data());
}

std::optional<Field> FieldReader::next() {
  if (at_ >= end_) return std::nullopt;
  Field field{.begin = at_};
  const std::uint64_t tag = read_varint(*window_, at_, end_);
  if (tag >> 3 == 0 || tag >> 3 > kMostFieldNumber) {
    refuse_wire(fmt::format("{} is no number of a field", tag >> 3), field.begin);
  }
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.wire = static_cast<Wire>(tag & 7);
  field.content.begin = at_;
  switch (field.wire) {
    case Wire::Varint:
      field.value = read_varint(*window_, at_, end_);
      break;
    case Wire::Fixed64:
      field.value = read_fixed(*window_, at_, end_, 8);
      break;
    case Wire::Fixed32:
      field.value = read_fixed(*window_, at_, end_, 4);
      break;
    case Wire::Bytes:
      field.value = read_varint(*window_, at_, end_);
      field.content.begin = at_;
      if (field.value > end_ - at_) {
        refuse_wire(fmt::format("field {} has {} bytes, {} are left of the message that it stands in",
                                field.number, field.value, end_ - at_),
                    field.begin);
      }
      at_ += field.value;
      break;
    default:
      refuse_wire(
          fmt::format("field {} has the wire type {}, which ONNX does not use", field.number, tag & 7),
          field.begin);
  }
  field.content.end = at_;
  return field;
}

std::string read_text(Window& window, const Field& field, std::string_view what, std::uint64_t most) {
  require_wire(field, Wire::Bytes, what);
  if (field.value > most) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("ONNX file: {} of {} bytes, the limit is {} (byte {})", what, field.value, most,
                            field.begin),
                {}, field.begin);
  }
  const auto bytes = window.peek(field.content.begin, static_cast<std::size_t>(field.value));
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (find_invalid_utf8(text)) refuse_wire(fmt::format("{} is not UTF-8", what), field.begin);
  return text;
}

void require_wire(const Field& field, Wire wire, std::string_view what) {
  if (field.wire == wire) return;
  refuse_wire(fmt::format("{} has the wire type {}, {} was expected", what, static_cast<int>(field.wire),
                          static_cast<int>(wire)),
              field.begin);
}

}  // namespace weighbridge::onnx
