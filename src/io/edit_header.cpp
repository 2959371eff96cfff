#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/edit.hpp>
#include <weighbridge/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "base/text.hpp"
#include "core/header_data.hpp"
#include "core/header_write.hpp"
#include "io/descriptor.hpp"
#include "io/insert_head.hpp"

namespace weighbridge {
namespace {

// The kernel copies into its cache page by page and ends a process between two pages only. Behind
// the cache, disks promise no more than a sector.
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kSector = 512;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

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

/// The planned header with more spaces. REQUIRES: `size` is not less than it has.
std::string grown(const EditPlan& plan, std::uint64_t size) {
  std::string head = plan.after;
  head.insert(plan.room_at, size - head.size(), ' ');
  store_le<std::uint64_t>(head.data(), size - kHeaderStart);
  return head;
}

/// The planned header with so many spaces more; as it is for none.
std::string with_slack(const EditPlan& plan, std::uint64_t slack) {
  if (slack == 0) return plan.after;
  const std::uint64_t least = checked_add(plan.after.size(), slack).value_or(UINT64_MAX);
  return grown(plan, padded_header_size(least, alignment_of(plan.after.size())));
}

/// The header with the room that makes it longer by whole blocks, at least one.
std::string head_for_insertion(const EditPlan& plan, std::uint64_t slack, int descriptor) {
  const std::string least = with_slack(plan, slack);
  const std::uint64_t growth = std::max<std::uint64_t>(least.size() - plan.before.size(), 1);
  const std::uint64_t size = plan.before.size() + io::insertable_bytes(descriptor, growth);
  return grown(plan, padded_header_size(size, kLeastAlignment));
}

/// Nothing when the file cannot take the longer header where it lies.
std::optional<EditReport> insert(const EditPlan& plan, int descriptor, const std::filesystem::path& path,
                                 const EditOptions& options) {
  const std::string head = head_for_insertion(plan, options.slack, descriptor);
  const std::uint64_t growth = head.size() - plan.before.size();
  if (growth != io::insertable_bytes(descriptor, growth)) return std::nullopt;
  if (!io::insert_head(path, descriptor, plan.before.size(), head, options.write.durability)) {
    return std::nullopt;
  }
  return EditReport{.changed = true,
                    .in_place = true,
                    .bytes_written = head.size(),
                    .bytes_inserted = growth,
                    .why = "the file system inserted blocks for the longer header"};
}

/// Nothing when more than one write would be needed.
std::optional<EditReport> write_in_place(const EditPlan& plan, int descriptor, const std::string& path,
                                         Durability durability) {
  if (plan.after.size() != plan.before.size()) return std::nullopt;
  const Change change = difference(bytes_of(plan.before), bytes_of(plan.after));
  if (!is_one_write(change, durability)) return std::nullopt;
  write_once(descriptor, change, bytes_of(plan.after), path);
  make_durable(descriptor, durability, path);
  return EditReport{.changed = true,
                    .in_place = true,
                    .bytes_written = change.end - change.begin,
                    .why = fmt::format("all that changes lies in one {} of the file",
                                       durability == Durability::None ? "page" : "sector")};
}

/// Why the header could not be changed where it lies.
std::string_view why_not_in_place(const EditPlan& plan) {
  return plan.after.size() == plan.before.size() ? "no single write could change the header"
                                                 : "the header has no room for what is new";
}

[[noreturn]] void refuse_rewrite(const EditPlan& plan, const std::string& path) {
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("the header of '{}' cannot be changed in place: {}", printable(path),
                          why_not_in_place(plan)),
              path);
}

io::Descriptor open_to_change(const std::filesystem::path& path) {
  io::Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) throw Error::from_errno(errno, "change", path.native());
  return file;
}

bool is_header(std::string_view text) {
  return text.size() >= kHeaderStart && load_le<std::uint64_t>(text.data()) == text.size() - kHeaderStart;
}

// What a plan says is checked against the file and itself: it may come from anywhere.
void check_plan(const EditPlan& plan, const ByteSource& file, const std::string& path) {
  const bool is_sound = is_header(plan.before) && is_header(plan.after) && plan.room_at >= kHeaderStart &&
                        plan.room_at <= plan.after.size() && plan.after.size() >= plan.before.size();
  if (is_sound && plan.before.size() <= file.size()) {
    const Buffer found = file.read(0, plan.before.size());
    if (std::ranges::equal(found.bytes(), bytes_of(plan.before))) return;
  }
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("the header of '{}' is not the one that the edit was planned for", printable(path)),
              path);
}

EditReport execute(const io::Descriptor& file, const SourcePtr& old, const std::filesystem::path& path,
                   const EditPlan& plan, const EditOptions& options) {
  if (plan.after == plan.before) return {};
  if (auto report = write_in_place(plan, file.get(), path.native(), options.write.durability)) return *report;
  if (options.insert) {
    if (auto report = insert(plan, file.get(), path, options)) return *report;
  }
  if (!options.rewrite) refuse_rewrite(plan, path.native());
  EditReport report = rewrite(with_slack(plan, options.slack), old, plan.before.size(), path, options.write);
  report.why = why_not_in_place(plan);
  return report;
}

}  // namespace

void finish_edit(const std::filesystem::path& path) {
  io::finish_insertion(path, open_to_change(path).get());
}

EditReport execute_edit(const std::filesystem::path& path, const EditPlan& plan, const EditOptions& options) {
  const io::Descriptor file = open_to_change(path);
  const SourcePtr old = open_descriptor(file.get(), ReadMode::Positional);
  check_plan(plan, *old, path.native());
  return execute(file, old, path, plan, options);
}

EditReport edit_header(const std::filesystem::path& path, const HeaderEdit& edit,
                       const EditOptions& options) {
  const io::Descriptor file = open_to_change(path);
  io::finish_insertion(path, file.get());
  const SourcePtr old = open_descriptor(file.get(), ReadMode::Positional);
  return execute(file, old, path, plan_edit(*old, edit), options);
}

EditReport edit_metadata(const std::filesystem::path& path, const MetadataEdit& edit,
                         const EditOptions& options) {
  return edit_header(path, {.metadata = edit}, options);
}

}  // namespace weighbridge
