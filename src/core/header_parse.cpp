// From the bytes of a file to a Header, or to findings: the order of the steps.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include <weighbridge/header.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/utf8.hpp"
#include "core/header_check.hpp"
#include "core/header_data.hpp"
#include "core/header_index.hpp"
#include "core/header_report.hpp"
#include "core/header_scan.hpp"
#include "core/header_sort.hpp"

namespace weighbridge {
namespace {

constexpr std::uint64_t kLargestHeader =
    std::numeric_limits<std::uint32_t>::max();  // positions are 32 bits wide
constexpr std::uint64_t kAlignment = 8;

using DataPtr = std::unique_ptr<Header::Data>;

void check_file_size(std::uint64_t file_bytes) {
  if (file_bytes >= kHeaderStart) return;
  throw Error(ErrorCode::HeaderTooSmall,
              fmt::format("the file has {} bytes, the header's length alone needs 8", file_bytes), {}, 0);
}

// The length that the first 8 bytes state, once it is known to fit the limits and the file.
std::uint64_t header_length(const std::byte* first, std::uint64_t file_bytes, const Limits& limits) {
  const auto length = load_le<std::uint64_t>(first);
  const std::uint64_t most = std::min(limits.header_bytes, kLargestHeader);
  if (length > most) {
    throw Error(ErrorCode::HeaderTooLarge,
                fmt::format("the header's length is {} bytes, the limit is {} (header byte 0)", length, most),
                {}, 0);
  }
  if (length > file_bytes - kHeaderStart) {
    throw Error(ErrorCode::InvalidHeaderLength,
                fmt::format("the header's length is {} bytes, the file has {} behind it (header byte 0)",
                            length, file_bytes - kHeaderStart),
                {}, 0);
  }
  return length;
}

// A Header::Data with room for the text; the text itself comes next.
DataPtr make_data(std::uint64_t length, std::uint64_t file_bytes) {
  auto data = std::make_unique<Header::Data>();
  data->text = std::make_unique_for_overwrite<char[]>(length + kTextPadding);
  std::memset(&data->text[length], 0, kTextPadding);
  data->data_begin = kHeaderStart + length;
  data->data_bytes = file_bytes - data->data_begin;
  return data;
}

std::span<char> text_of(Header::Data& data) {
  return {data.text.get(), static_cast<std::size_t>(data.data_begin - kHeaderStart)};
}

DataPtr read_text(const ByteSource& file, const Limits& limits) {
  check_file_size(file.size());
  std::array<std::byte, kHeaderStart> first{};
  file.read_at(0, first);
  DataPtr data = make_data(header_length(first.data(), file.size(), limits), file.size());
  file.read_at(kHeaderStart, std::as_writable_bytes(text_of(*data)));
  return data;
}

DataPtr copy_text(std::span<const std::byte> prefix, std::uint64_t file_bytes, const Limits& limits) {
  check_file_size(file_bytes);
  const std::uint64_t whole = prefix.size() < kHeaderStart
                                  ? kHeaderStart
                                  : kHeaderStart + header_length(prefix.data(), file_bytes, limits);
  if (prefix.size() < whole) {
    throw Error(
        ErrorCode::InvalidHeaderLength,
        fmt::format("{} bytes of the file's start are given, the header needs {}", prefix.size(), whole), {},
        0);
  }
  DataPtr data = make_data(whole - kHeaderStart, file_bytes);
  std::memcpy(data->text.get(), prefix.data() + kHeaderStart, whole - kHeaderStart);
  return data;
}

void check_utf8(std::span<const char> text) {
  const auto bad = find_invalid_utf8({text.data(), text.size()});
  if (!bad) return;
  throw HeaderReport::make_error(
      ErrorCode::InvalidHeader, {}, kHeaderStart + *bad,
      fmt::format("expected UTF-8, found byte {:#04x} out of place", static_cast<unsigned char>(text[*bad])));
}

void warn_unaligned(const Header::Data& data, HeaderReport& report) {
  if (data.data_begin % kAlignment == 0) return;
  report.warning("UnalignedData", {}, 0, [&] {
    return fmt::format("the data section starts at byte {}, which is no multiple of {}", data.data_begin,
                       kAlignment);
  });
}

void examine(Header::Data& data, const Limits& limits, HeaderReport& report) {
  warn_unaligned(data, report);
  check_utf8(text_of(data));
  const bool complete = scan_header(text_of(data), limits, report, data);
  sort_metadata(data, report);
  sort_tensors(data);
  build_name_index(data, report);
  if (complete) check_layout(data, report);
}

Header finish(DataPtr data, const Limits& limits) {
  HeaderReport report;
  examine(*data, limits, report);
  return Header(std::shared_ptr<const Header::Data>(std::move(data)));
}

}  // namespace

Header read_header(const ByteSource& file, const Limits& limits) {
  return finish(read_text(file, limits), limits);
}

Header parse_header(std::span<const std::byte> prefix, std::uint64_t file_bytes, const Limits& limits) {
  return finish(copy_text(prefix, file_bytes, limits), limits);
}

Findings validate_header(const ByteSource& file, const Limits& limits) {
  HeaderReport report(limits.findings);
  try {
    const DataPtr data = read_text(file, limits);
    examine(*data, limits, report);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError) throw;
    report.add(error);
  }
  return report.take();
}

}  // namespace weighbridge
