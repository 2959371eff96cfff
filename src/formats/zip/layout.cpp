#include "formats/zip/layout.hpp"

#include <algorithm>
#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <zlib.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/text.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::uint64_t kPieceBytes = 256 * 1024;
constexpr std::uint64_t kWide = 0xFFFFFFFF;  ///< From here on a field of 32 bits points to zip64.
constexpr std::uint64_t kWideCount = 0xFFFF;
constexpr std::uint16_t kPlainVersion = 10;
constexpr std::uint16_t kWideVersion = 45;
constexpr std::uint16_t kUtf8Names = 0x0800;
constexpr std::uint16_t kFirstDay = 0x0021;  ///< 1 January 1980: equal inputs give equal archives.
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kCentralBytes = 46;
constexpr std::uint64_t kWideLocalBytes = 20;  ///< Tag, length and two sizes.

/// Appends fields of fixed width, little-endian.
class Record {
 public:
  Record& u16(std::uint64_t value) { return add(static_cast<std::uint16_t>(value)); }
  Record& u32(std::uint64_t value) { return add(static_cast<std::uint32_t>(std::min(value, kWide))); }
  Record& u64(std::uint64_t value) { return add(value); }
  Record& text(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  template <typename T>
  Record& add(T value) {
    char field[sizeof(T)];
    store_le(field, value);
    bytes_.append(field, sizeof field);
    return *this;
  }

  std::string bytes_;
};

/// Bytes of a known number that are made when they are first read.
class LateSource final : public ByteSource {
 public:
  LateSource(std::uint64_t size, std::function<std::string()> make) : size_(size), make_(std::move(make)) {}

  std::uint64_t size() const override { return size_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    std::call_once(made_, [this] { bytes_ = make_(); });
    std::ranges::copy(std::as_bytes(std::span(bytes_)).subspan(offset, out.size()), out.begin());
  }

 private:
  std::uint64_t size_;
  std::function<std::string()> make_;
  mutable std::once_flag made_;
  mutable std::string bytes_;
};

/// An entry in its place.
struct Placed {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t header_at = 0;
  std::uint64_t padding = 0;  ///< Bytes of the extra field that aligns the content.
  std::function<std::uint32_t()> checksum = {};

  [[nodiscard]] bool wide() const { return bytes >= kWide; }
};

using Entries = std::vector<std::shared_ptr<const Placed>>;

std::string local_header(const Placed& entry) {
  const std::uint64_t sizes = entry.wide() ? kWide : entry.bytes;
  const std::uint64_t extra = (entry.wide() ? kWideLocalBytes : 0) + entry.padding;
  Record record;
  record.text("PK\3\4").u16(entry.wide() ? kWideVersion : kPlainVersion).u16(kUtf8Names).u16(0).u16(0);
  record.u16(kFirstDay).u32(entry.checksum()).u32(sizes).u32(sizes);
  record.u16(entry.name.size()).u16(extra).text(entry.name);
  if (entry.wide()) record.u16(1).u16(16).u64(entry.bytes).u64(entry.bytes);
  if (entry.padding > 0) record.text("FB").u16(entry.padding - 4).text(std::string(entry.padding - 4, 'Z'));
  return record.take();
}

/// The zip64 fields of a directory entry: those values that do not fit.
std::string wide_fields(const Placed& entry) {
  Record values;
  if (entry.wide()) values.u64(entry.bytes).u64(entry.bytes);
  if (entry.header_at >= kWide) values.u64(entry.header_at);
  const std::string bytes = values.take();
  return bytes.empty() ? bytes : Record().u16(1).u16(bytes.size()).text(bytes).take();
}

std::string central_header(const Placed& entry) {
  const std::string extra = wide_fields(entry);
  const std::uint16_t version = extra.empty() ? kPlainVersion : kWideVersion;
  const std::uint64_t sizes = entry.wide() ? kWide : entry.bytes;
  Record record;
  record.text("PK\1\2").u16(version).u16(version).u16(kUtf8Names).u16(0).u16(0).u16(kFirstDay);
  record.u32(entry.checksum()).u32(sizes).u32(sizes).u16(entry.name.size()).u16(extra.size());
  record.u16(0).u16(0).u16(0).u32(0).u32(entry.header_at).text(entry.name).text(extra);
  return record.take();
}

std::uint64_t central_bytes(const Entries& entries) {
  std::uint64_t bytes = 0;
  for (const auto& entry : entries) bytes += kCentralBytes + entry->name.size() + wide_fields(*entry).size();
  return bytes;
}

/// torch always writes the zip64 records; here they stand where they are needed.
std::string end_records(std::uint64_t entries, std::uint64_t bytes, std::uint64_t at) {
  Record record;
  if (entries >= kWideCount || bytes >= kWide || at >= kWide) {
    record.text("PK\6\6").u64(44).u16(kWideVersion).u16(kWideVersion).u32(0).u32(0);
    record.u64(entries).u64(entries).u64(bytes).u64(at);
    record.text("PK\6\7").u32(0).u64(at + bytes).u32(1);
  }
  record.text("PK\5\6").u16(0).u16(0).u16(std::min(entries, kWideCount)).u16(std::min(entries, kWideCount));
  record.u32(bytes).u32(at).u16(0);
  return record.take();
}

/// Extra bytes that bring `at` to a multiple: none, or at least the four of an empty field.
std::uint64_t padding_at(std::uint64_t at, std::uint64_t alignment) {
  const std::uint64_t missing = (alignment - at % alignment) % alignment;
  return missing == 0 || missing >= 4 ? missing : missing + alignment;
}

/// Of the head and the content behind it.
std::function<std::uint32_t()> once(Checksum checksum, const std::string& head, CopyStep step) {
  struct State {
    std::once_flag flag;
    std::uint32_t value = 0;
  };
  const uLong before = crc32_z(0, reinterpret_cast<const Bytef*>(head.data()), head.size());
  return [state = std::make_shared<State>(), checksum = std::move(checksum), step = std::move(step), before] {
    std::call_once(state->flag, [&] {
      const auto bytes = static_cast<z_off_t>(step.runs.total_bytes);
      state->value = static_cast<std::uint32_t>(crc32_combine(before, checksum(step), bytes));
    });
    return state->value;
  };
}

class Layout {
 public:
  Layout(std::uint64_t alignment, Checksum checksum)
      : alignment_(alignment), checksum_(std::move(checksum)) {}

  void add(NewEntry&& entry) {
    if (entry.name.size() > UINT16_MAX) {
      throw Error(ErrorCode::InvalidArgument,
                  fmt::format("an archive entry's name of {} bytes", entry.name.size()));
    }
    Placed placed{
        .name = entry.name, .bytes = entry.head.size() + entry.content.runs.total_bytes, .header_at = at_};
    placed.checksum = once(checksum_, entry.head, entry.content);
    const std::uint64_t header = kLocalBytes + placed.name.size() + (placed.wide() ? kWideLocalBytes : 0);
    placed.padding = padding_at(at_ + header, alignment_);
    const std::uint64_t header_bytes = header + placed.padding;
    entries_.push_back(std::make_shared<const Placed>(std::move(placed)));
    add_late("zip header", header_bytes, [entry = entries_.back()] { return local_header(*entry); });
    if (!entry.head.empty()) add_step(text_entry(entry.name, std::move(entry.head)).content);
    add_step(std::move(entry.content));
  }

  FilePlan finish() && {
    const std::uint64_t begin = at_;
    const std::uint64_t bytes = central_bytes(entries_);
    add_late("zip directory", bytes, [entries = entries_] {
      std::string directory;
      for (const auto& entry : entries) directory += central_header(*entry);
      return directory;
    });
    std::string end = end_records(entries_.size(), bytes, begin);
    const std::uint64_t end_bytes = end.size();
    add_late("zip directory", end_bytes, [end = std::move(end)] { return end; });
    plan_.total_bytes = at_;
    return std::move(plan_);
  }

 private:
  void add_late(std::string name, std::uint64_t bytes, std::function<std::string()> make) {
    add_step({.name = std::move(name),
              .source = std::make_shared<LateSource>(bytes, std::move(make)),
              .runs = {.run_bytes = bytes, .total_bytes = bytes}});
  }

  void add_step(CopyStep step) {
    const std::uint64_t bytes = step.runs.total_bytes;
    step.destination = at_;
    const auto end = checked_add(at_, bytes);
    if (!end || *end > INT64_MAX)
      throw Error(ErrorCode::ValidationOverflow, "the archive exceeds 2^63 bytes");
    at_ = *end;
    if (bytes > 0) plan_.steps.push_back(std::move(step));
  }

  std::uint64_t alignment_;
  Checksum checksum_;
  Entries entries_;
  FilePlan plan_;
  std::uint64_t at_ = 0;
};

}  // namespace

std::uint32_t checksum_of(const CopyStep& step) {
  const std::uint64_t total = step.runs.total_bytes;
  std::vector<std::byte> piece(std::min(kPieceBytes, total));
  uLong crc = 0;
  for (std::uint64_t at = 0; at < total; at += piece.size()) {
    const auto bytes = std::span(piece).first(std::min<std::uint64_t>(piece.size(), total - at));
    read_runs(*step.source, step.runs, step.transform, at, bytes);
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  }
  return static_cast<std::uint32_t>(crc);
}

NewEntry text_entry(std::string name, std::string text) {
  const std::uint64_t bytes = text.size();
  return {.name = name,
          .content = {.name = std::move(name),
                      .source = memory_source(Buffer::take(std::move(text))),
                      .runs = {.run_bytes = bytes, .total_bytes = bytes}}};
}

FilePlan plan_stored_archive(std::vector<NewEntry> entries, std::uint64_t alignment, Checksum checksum) {
  Layout layout(alignment, std::move(checksum));
  for (NewEntry& entry : entries) layout.add(std::move(entry));
  return std::move(layout).finish();
}

}  // namespace weighbridge::zip
