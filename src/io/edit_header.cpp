#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/edit.hpp>
#include <weighbridge/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "core/header_data.hpp"
#include "core/header_edit.hpp"
#include "io/descriptor.hpp"
#include "io/insert_head.hpp"

namespace weighbridge {
namespace {

// The kernel copies into its cache page by page and ends a process between two pages only. Behind
// the cache, disks promise no more than a sector.
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kSector = 512;

Metadata edited(Metadata metadata, const MetadataEdit& edit) {
  if (edit.clear) metadata.clear();
  for (const std::string& key : edit.unset) metadata.erase(key);
  for (const auto& [key, value] : edit.set) metadata.insert_or_assign(key, value);
  return metadata;
}

/// Bytes [begin, end) of the file.
struct Change {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Where the headers, which have the same size and are not the same, differ.
Change difference(std::span<const std::byte> before, std::span<const std::byte> after) {
  const auto first = std::ranges::mismatch(before, after).in1 - before.begin();
  auto last = before.size();
  while (before[last - 1] == after[last - 1]) --last;
  return {static_cast<std::uint64_t>(first), last};
}

bool is_one_write(Change change, Durability durability) {
  const std::uint64_t unit = durability == Durability::None ? kPage : kSector;
  return change.begin / unit == (change.end - 1) / unit;
}

void make_durable(int descriptor, Durability durability, const std::string& path) {
  if (durability != Durability::None && ::fsync(descriptor) != 0)
    throw Error::from_errno(errno, "write", path);
}

/// One call, from one page of memory to one page of the file.
void write_once(int descriptor, Change change, std::span<const std::byte> header, const std::string& path) {
  alignas(kPage) std::array<std::byte, kPage> page;
  const auto bytes = header.subspan(change.begin, change.end - change.begin);
  std::ranges::copy(bytes, page.begin());
  io::write_at(descriptor, change.begin, std::span(page).first(bytes.size()), path);
}

EditReport rewrite(std::string head, const SourcePtr& old, std::uint64_t data_begin,
                   const std::filesystem::path& path, WriteOptions options) {
  const std::uint64_t data_bytes = old->size() - data_begin;
  FilePlan plan{.head = std::move(head), .steps = {}, .total_bytes = 0};
  plan.total_bytes = plan.head.size() + data_bytes;
  if (data_bytes > 0) {
    plan.steps.push_back(
        {.name = "data section",
         .source = old,
         .runs = {.offset = data_begin, .run_bytes = data_bytes, .loops = {}, .total_bytes = data_bytes},
         .transform = Transform::None,
         .destination = plan.head.size()});
  }
  options.overwrite = true;
  return {.changed = true, .bytes_written = write_file(plan, path, options).bytes_written};
}

/// The header with the room that makes it longer by whole blocks, at least one.
std::string head_for_insertion(std::span<const std::byte> before, const Metadata& wanted, std::uint64_t slack,
                               int descriptor) {
  const std::uint64_t least = edit_header(before, wanted, slack).size();
  const std::uint64_t growth = std::max<std::uint64_t>(least - before.size(), 1);
  const std::uint64_t target = before.size() + io::insertable_bytes(descriptor, growth);
  std::string head = edit_header(before, wanted, slack + (target - least));
  if (head.size() < target) {
    head.resize(target, ' ');
    store_le<std::uint64_t>(head.data(), target - kHeaderStart);
  }
  return head;
}

/// Nothing when the file cannot take the longer header where it lies.
std::optional<EditReport> insert(std::span<const std::byte> before, const Metadata& wanted, int descriptor,
                                 const std::filesystem::path& path, const EditOptions& options) {
  const std::string head = head_for_insertion(before, wanted, options.slack, descriptor);
  const std::uint64_t growth = head.size() - before.size();
  if (growth != io::insertable_bytes(descriptor, growth)) return std::nullopt;
  if (!io::insert_head(path, descriptor, before.size(), head, options.write.durability)) return std::nullopt;
  return EditReport{
      .changed = true, .in_place = true, .bytes_written = head.size(), .bytes_inserted = growth};
}

[[noreturn]] void refuse_rewrite(const std::string& path) {
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("the metadata of '{}' cannot be changed in place: the header has no room for them "
                          "that one write could fill",
                          printable(path)),
              path);
}

}  // namespace

EditReport edit_metadata(const std::filesystem::path& path, const MetadataEdit& edit,
                         const EditOptions& options) {
  const io::Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) throw Error::from_errno(errno, "change", path.native());
  io::finish_insertion(path, file.get());
  const SourcePtr old = open_descriptor(file.get(), ReadMode::Positional);
  const Header header = read_header(*old);
  const Metadata wanted = edited(header.metadata(), edit);
  if (wanted == header.metadata()) return {};

  const Buffer before = old->read(0, header.data_begin());
  std::string head = edit_header(before.bytes(), wanted, 0);
  if (head.size() == before.size()) {
    const auto after = std::as_bytes(std::span(head));
    const Change change = difference(before.bytes(), after);
    if (is_one_write(change, options.write.durability)) {
      write_once(file.get(), change, after, path.native());
      make_durable(file.get(), options.write.durability, path.native());
      return {.changed = true, .in_place = true, .bytes_written = change.end - change.begin};
    }
  }
  if (options.insert) {
    if (const auto report = insert(before.bytes(), wanted, file.get(), path, options)) return *report;
  }
  if (!options.rewrite) refuse_rewrite(path.native());
  if (options.slack > 0) head = edit_header(before.bytes(), wanted, options.slack);
  return rewrite(std::move(head), old, header.data_begin(), path, options.write);
}

}  // namespace weighbridge
