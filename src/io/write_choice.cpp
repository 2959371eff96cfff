#include "io/write_choice.hpp"

#include "io/file_system.hpp"
#include "io/pieces.hpp"

namespace weighbridge::io {
namespace {

// Below this a disk has everything before a second write has been started.
constexpr std::uint64_t kWorthDirect = std::uint64_t{8} << 20;

WriteChoice choose_durable(const WriteFacts& facts) {
  const std::string streamed = "it must be on the disk, which works while the rest is written";
  if (facts.bytes < kWorthDirect) return {WriteMethod::Streamed, streamed};
  if (!facts.local)
    return {WriteMethod::Streamed, streamed + "; direct writes are for disks of this machine"};
  if (facts.from_files > facts.bytes / 2)
    return {WriteMethod::Streamed, streamed + "; most of it is copied inside the kernel"};
  return {WriteMethod::Direct, "it must be on the disk, and the page cache would be a detour"};
}

}  // namespace

WriteChoice choose_write(WriteMethod asked, const WriteFacts& facts) {
  if (asked != WriteMethod::Auto) return {asked, "it was asked for"};
  if (!facts.durable) return {WriteMethod::Cached, "it need not be on the disk yet"};
  return choose_durable(facts);
}

WriteFacts write_facts(const FilePlan& plan, int descriptor, const WriteOptions& options) {
  WriteFacts facts{.durable = options.durability != Durability::None, .bytes = plan.total_bytes};
  if (!facts.durable) return facts;
  facts.local = is_local(descriptor);
  for (const CopyStep& step : plan.steps) {
    if (is_straight(step) && step.source->file_extent(step.runs.offset))
      facts.from_files += step.runs.total_bytes;
  }
  return facts;
}

}  // namespace weighbridge::io
