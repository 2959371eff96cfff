#include "support/zip_builder.hpp"

#include <algorithm>
#include <stdexcept>

#include <zlib.h>

namespace weighbridge::test {
namespace {

constexpr std::uint16_t kUtf8Name = 0x0800;
constexpr std::uint16_t kDescriptorFollows = 0x0008;
constexpr std::uint64_t kAllOnes = 0xFFFFFFFF;

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
  return out;
}

/// What one header says, before lies.
struct HeaderValues {
  std::uint16_t flags = kUtf8Name;
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t bytes = 0;
  std::string extra;
};

HeaderValues true_values(const ZipEntry& entry, bool torch_style) {
  HeaderValues values;
  values.flags = torch_style ? kUtf8Name | kDescriptorFollows : kUtf8Name;
  values.crc32 = entry.omit_crc ? 0 : entry.crc32;
  values.compressed_bytes = entry.data.size();
  values.bytes = entry.bytes;
  return values;
}

/// Pads with torch's own extra field, so that the data begins at a multiple of 64.
std::string alignment_extra(std::uint64_t header_offset, std::size_t name_bytes) {
  const std::uint64_t unpadded = header_offset + 30 + name_bytes + 4;
  const std::uint64_t padding = (64 - unpadded % 64) % 64;
  return "FB" + le16(padding) + std::string(padding, 'Z');
}

std::string local_header(const ZipEntry& entry, HeaderValues values, std::uint64_t offset, bool torch_style) {
  const std::string name = entry.local.name.value_or(entry.name);
  if (torch_style) {
    values.crc32 = 0;
    values.compressed_bytes = values.bytes = 0;
    values.extra = alignment_extra(offset, name.size());
  } else if (entry.zip64) {
    values.extra = le16(1) + le16(16) + le64(entry.local.bytes.value_or(values.bytes)) +
                   le64(entry.local.compressed_bytes.value_or(values.compressed_bytes));
    values.compressed_bytes = values.bytes = kAllOnes;
  }
  const HeaderLies& lies = entry.local;
  const std::string extra = lies.extra.value_or(values.extra);
  const bool plain = !entry.zip64 || torch_style;
  return "PK\3\4" + le16(0) + le16(lies.flags.value_or(values.flags)) +
         le16(lies.method.value_or(entry.method)) + le32(0) + le32(lies.crc32.value_or(values.crc32)) +
         le32(plain ? lies.compressed_bytes.value_or(values.compressed_bytes) : kAllOnes) +
         le32(plain ? lies.bytes.value_or(values.bytes) : kAllOnes) + le16(name.size()) + le16(extra.size()) +
         name + extra;
}

std::string descriptor(const HeaderValues& values) {
  return "PK\7\b" + le32(values.crc32) + le32(values.compressed_bytes) + le32(values.bytes);
}

std::string central_header(const ZipEntry& entry, const HeaderValues& values,
                           std::uint64_t true_local_offset) {
  const HeaderLies& lies = entry.central;
  const std::string name = lies.name.value_or(entry.name);
  const std::uint64_t bytes = lies.bytes.value_or(values.bytes);
  const std::uint64_t compressed = lies.compressed_bytes.value_or(values.compressed_bytes);
  const std::uint64_t offset = lies.local_offset.value_or(true_local_offset);
  const std::string wide = le16(1) + le16(24) + le64(bytes) + le64(compressed) + le64(offset);
  const std::string extra = lies.extra.value_or(entry.zip64 ? wide : "");
  return "PK\1\2" + le16(0x0314) + le16(0) + le16(lies.flags.value_or(values.flags)) +
         le16(lies.method.value_or(entry.method)) + le32(0) + le32(lies.crc32.value_or(values.crc32)) +
         le32(entry.zip64 ? kAllOnes : compressed) + le32(entry.zip64 ? kAllOnes : bytes) +
         le16(name.size()) + le16(extra.size()) + le16(0) + le16(0) + le16(0) +
         le32(entry.external_attributes) + le32(entry.zip64 ? kAllOnes : offset) + name + extra;
}

std::string zip64_end_records(std::uint64_t entries, std::uint64_t directory_bytes,
                              std::uint64_t directory_offset, std::uint64_t own_offset) {
  return "PK\6\6" + le64(44) + le16(45) + le16(45) + le32(0) + le32(0) + le64(entries) + le64(entries) +
         le64(directory_bytes) + le64(directory_offset) + "PK\6\7" + le32(0) + le64(own_offset) + le32(1);
}

}  // namespace

std::string le16(std::uint64_t value) { return little_endian(value, 2); }
std::string le32(std::uint64_t value) { return little_endian(value, 4); }
std::string le64(std::uint64_t value) { return little_endian(value, 8); }

std::string end_record(std::uint16_t entries, std::uint32_t directory_bytes, std::uint32_t directory_offset,
                       std::uint16_t comment_bytes, std::uint16_t disk) {
  return "PK\5\6" + le16(disk) + le16(disk) + le16(entries) + le16(entries) + le32(directory_bytes) +
         le32(directory_offset) + le16(comment_bytes);
}

std::string deflate_raw(const std::string& content) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

ZipEntry& ZipEntry::deflated() {
  data = deflate_raw(data);
  method = 8;
  return *this;
}

ZipEntry& ZipBuilder::add(std::string name, std::string content) {
  ZipEntry& entry = entries_.emplace_back();
  entry.name = std::move(name);
  entry.bytes = content.size();
  entry.crc32 =
      static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
  entry.data = std::move(content);
  return entry;
}

std::string ZipBuilder::bytes() const {
  std::string out = prefix;
  std::string directory;
  const std::uint64_t origin = offsets_count_prefix ? 0 : prefix.size();
  for (const ZipEntry& entry : entries_) {
    const HeaderValues values = true_values(entry, torch_style);
    directory += central_header(entry, values, out.size() - origin);
    out += local_header(entry, values, out.size(), torch_style) + entry.data;
    if (torch_style) out += descriptor(values);
  }
  const std::uint64_t entries = end.entries.value_or(entries_.size());
  const std::uint64_t directory_offset = end.directory_offset.value_or(out.size() - origin);
  const std::uint64_t directory_bytes = end.directory_bytes.value_or(directory.size());
  out += directory;
  if (torch_style || zip64_end || saturate_end) {
    out += zip64_end_records(end.zip64_entries.value_or(entries), directory_bytes, directory_offset,
                             end.zip64_offset.value_or(out.size() - origin));
  }
  const auto plain = [&](std::uint64_t value) {
    return static_cast<std::uint32_t>(saturate_end ? kAllOnes : std::min(value, kAllOnes));
  };
  out += end_record(static_cast<std::uint16_t>(std::min<std::uint32_t>(plain(entries), 0xFFFF)),
                    plain(directory_bytes), plain(directory_offset),
                    static_cast<std::uint16_t>(comment.size()), end.disk.value_or(0));
  return out + comment + suffix;
}

SourcePtr ZipBuilder::source() const { return memory_source(Buffer::take(bytes())); }

}  // namespace weighbridge::test
