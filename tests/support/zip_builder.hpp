// Writes zip archives for tests: sound ones as torch or Python would, and ones that lie.
//
//   ZipBuilder zip;
//   zip.add("archive/data.pkl", pickle);
//   zip.add("archive/data/0", storage).deflated();
//   SourcePtr source = zip.source();
//
// Every field of a header has a true value; a test that wants another one sets it:
//
//   zip.add("archive/data.pkl", pickle).local.name = "archive/datap.kl";
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::test {

/// Values that replace the true ones in one header.
struct HeaderLies {
  std::optional<std::string> name;
  std::optional<std::uint16_t> flags;
  std::optional<std::uint16_t> method;
  std::optional<std::uint32_t> crc32;
  std::optional<std::uint64_t> compressed_bytes;
  std::optional<std::uint64_t> bytes;
  std::optional<std::string> extra;           ///< In place of what the builder would write.
  std::optional<std::uint64_t> local_offset;  ///< Central header only.
};

/// Values that replace the true ones in the end records.
struct EndLies {
  std::optional<std::uint16_t> disk;
  std::optional<std::uint64_t> entries;
  std::optional<std::uint64_t> directory_offset;
  std::optional<std::uint64_t> directory_bytes;
  std::optional<std::uint64_t> zip64_offset;   ///< In the locator.
  std::optional<std::uint64_t> zip64_entries;  ///< In the zip64 record alone.
};

struct ZipEntry {
  std::string name;
  std::string data;         ///< As it lies in the archive.
  std::uint64_t bytes = 0;  ///< Uncompressed.
  std::uint32_t crc32 = 0;
  std::uint16_t method = 0;
  std::uint32_t external_attributes = 0;
  bool omit_crc = false;  ///< Zero in both headers, as torch can be told to.
  bool zip64 = false;     ///< Sizes and offset in a zip64 field, in both headers.
  HeaderLies central;
  HeaderLies local;

  /// Compresses the content.
  ZipEntry& deflated();
};

class ZipBuilder {
 public:
  /// Entries are written in this order. The reference stays valid.
  ZipEntry& add(std::string name, std::string content);
  ZipEntry& add_deflated(std::string name, std::string content) { return add(name, content).deflated(); }

  /// The archive's bytes.
  [[nodiscard]] std::string bytes() const;
  /// The same as a source in memory.
  [[nodiscard]] SourcePtr source() const;

  bool torch_style = false;   ///< Zero local sizes and CRC, data descriptors, data aligned to 64, zip64 end.
  bool zip64_end = false;     ///< A zip64 end record and locator; always with torch_style.
  bool saturate_end = false;  ///< All ones in the plain end record: its values are only in zip64.
  bool offsets_count_prefix = true;  ///< Whether offsets count from the prefix or from behind it.
  std::string prefix;                ///< Before the first entry.
  std::string comment;               ///< Of the archive.
  std::string suffix;                ///< Behind the comment.
  EndLies end;

 private:
  std::deque<ZipEntry> entries_;
};

/// An end-of-central-directory record by itself.
std::string end_record(std::uint16_t entries, std::uint32_t directory_bytes, std::uint32_t directory_offset,
                       std::uint16_t comment_bytes, std::uint16_t disk = 0);

/// Raw deflate of `content`, as zip stores it.
std::string deflate_raw(const std::string& content);

/// The integers as little-endian bytes.
std::string le16(std::uint64_t value);
std::string le32(std::uint64_t value);
std::string le64(std::uint64_t value);

}  // namespace weighbridge::test
