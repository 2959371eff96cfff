// From the bytes of a file to a Header, or to findings: the order of the steps.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <weighbridge/header.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "core/header_check.hpp"
#include "core/header_data.hpp"
#include "core/header_index.hpp"
#include "core/header_parts.hpp"
#include "core/header_report.hpp"
#include "core/header_room.hpp"
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

std::uint64_t read_length(const ByteSource& file, const Limits& limits) {
  check_file_size(file.size());
  std::array<std::byte, kHeaderStart> first{};
  file.read_at(0, first);
  return header_length(first.data(), file.size(), limits);
}

// The same where only the start of the file is there.
std::uint64_t length_in(std::span<const std::byte> prefix, std::uint64_t file_bytes, const Limits& limits) {
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
  return whole - kHeaderStart;
}

void warn_unaligned(const Header::Data& data, HeaderReport& report) {
  if (data.data_begin % kAlignment == 0) return;
  report.warning("UnalignedData", {}, 0, [&] {
    return fmt::format("the data section starts at byte {}, which is no multiple of {}", data.data_begin,
                       kAlignment);
  });
}

struct Reading {
  bool complete = false;  // every tensor has a record
  bool tiled = false;     // those tile the data section in their order
};

Reading read_records(const ByteSource& file, std::size_t length, const Limits& limits, HeaderReport& report,
                     Header::Data& data, const HeaderCrew& crew) {
  HeaderRoom room(length);
  const Streamed streamed = stream_header(file, length, limits, room, data, crew);
  if (streamed.whole) return {.complete = true, .tiled = streamed.tiled == data.data_bytes};
  const bool complete =
      scan_header({data.text.get(), length}, limits, room, report, data, {.place = streamed.place});
  return {.complete = complete, .tiled = complete && tensors_tile(data)};
}

// Reads a header of which the length is known, and checks all of it.
DataPtr examine(const ByteSource& file, std::uint64_t length, std::uint64_t file_bytes, const Limits& limits,
                HeaderReport& report, std::pmr::memory_resource& memory = *std::pmr::get_default_resource(),
                const HeaderCrew& crew = {}) {
  auto data = std::make_unique<Header::Data>(memory);
  data->data_begin = kHeaderStart + length;
  data->data_bytes = file_bytes - data->data_begin;
  warn_unaligned(*data, report);
  const auto [complete, tiled] = read_records(file, length, limits, report, *data, crew);
  sort_metadata(*data, report);
  if (!tiled) sort_tensors(*data);
  build_name_index(*data, report);
  if (complete && !tiled) check_layout(*data, report);
  return data;
}

Header finish(DataPtr data) { return Header(std::shared_ptr<const Header::Data>(std::move(data))); }

}  // namespace

Header read_header(const ByteSource& file, const Limits& limits, std::pmr::memory_resource& memory) {
  return read_header_by(HeaderCrew(), file, limits, memory);
}

Header read_header_by(const HeaderCrew& crew, const ByteSource& file, const Limits& limits,
                      std::pmr::memory_resource& memory) {
  HeaderReport report;
  return finish(examine(file, read_length(file, limits), file.size(), limits, report, memory, crew));
}

Header read_header(const ByteSource& file, const Limits& limits,
                   std::shared_ptr<std::pmr::memory_resource> memory) {
  HeaderReport report;
  DataPtr data = examine(file, read_length(file, limits), file.size(), limits, report, *memory);
  data->memory = std::move(memory);
  return finish(std::move(data));
}

Header parse_header(std::span<const std::byte> prefix, std::uint64_t file_bytes, const Limits& limits) {
  HeaderReport report;
  const std::uint64_t length = length_in(prefix, file_bytes, limits);
  return finish(examine(*memory_source(Buffer(prefix, nullptr)), length, file_bytes, limits, report));
}

Findings validate_header(const ByteSource& file, const Limits& limits) {
  HeaderReport report(limits.findings);
  try {
    examine(file, read_length(file, limits), file.size(), limits, report);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError) throw;
    report.add(error);
  }
  return report.take();
}

}  // namespace weighbridge
