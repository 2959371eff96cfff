#include "io/write_choice.hpp"

#include <optional>

#include "io/file_system.hpp"
#include "io/pieces.hpp"
#include "io/write_mapped.hpp"

namespace weighbridge::io {
namespace {

// Below this a disk has everything before a second write has been started.
constexpr std::uint64_t kWorthDirect = std::uint64_t{8} << 20;
// Below this the threads have hardly begun.
constexpr std::uint64_t kWorthMapping = std::uint64_t{256} << 20;

bool comes_from_files(const WriteFacts& facts) { return facts.from_files > facts.bytes / 2; }

WriteChoice choose_durable(const WriteFacts& facts) {
  const std::string streamed = "it must be on the disk, which works while the rest is written";
  if (facts.bytes < kWorthDirect) return {WriteMethod::Streamed, streamed};
  if (!facts.local)
    return {WriteMethod::Streamed, streamed + "; direct writes are for disks of this machine"};
  if (comes_from_files(facts))
    return {WriteMethod::Streamed, streamed + "; most of it is copied inside the kernel"};
  return {WriteMethod::Direct, "it must be on the disk, and the page cache would be a detour"};
}

WriteChoice choose_quick(const WriteFacts& facts) {
  const std::string cached = "it need not be on the disk yet";
  const bool worth_it = facts.bytes >= kWorthMapping && facts.threads > 1;
  if (!worth_it || !facts.mappable) return {WriteMethod::Cached, cached};
  if (facts.may_share && comes_from_files(facts))
    return {WriteMethod::Cached, cached + ", and this file system may share blocks instead of copying them"};
  return {WriteMethod::Mapped, cached + ", and several threads can fill the pages of one file at once"};
}

WriteChoice choose_method(WriteMethod asked, const WriteFacts& facts) {
  if (asked != WriteMethod::Auto) return {asked, "it was asked for"};
  return facts.durable ? choose_durable(facts) : choose_quick(facts);
}

// Copies inside the kernel into one file wait for each other, and a thread that waits for such a lock keeps a
// processor busy: two take up to twice as long as one (ext4, warm). Where another machine has a part in it,
// they wait for that one.
bool takes_turns(const WriteFacts& facts) {
  return facts.local && !facts.threads_asked && facts.from_local_files > facts.bytes - facts.bytes / 10;
}

/// Whether files are on a disk of this machine. Most steps are of the file that the one before is of.
class Locality {
 public:
  bool of(int descriptor) {
    if (descriptor != last_) local_ = is_local(descriptor);
    last_ = descriptor;
    return local_;
  }

 private:
  int last_ = -1;
  bool local_ = false;
};

}  // namespace

WriteChoice choose_write(WriteMethod asked, const WriteFacts& facts) {
  WriteChoice choice = choose_method(asked, facts);
  const bool cached = choice.method != WriteMethod::Mapped && choice.method != WriteMethod::Direct;
  choice.one_thread = cached && takes_turns(facts);
  if (choice.one_thread) choice.why += "; copies inside the kernel go one after the other";
  return choice;
}

WriteFacts write_facts(const FilePlan& plan, int descriptor, bool space_taken, const WriteOptions& options) {
  WriteFacts facts{.durable = options.durability != Durability::None,
                   .local = is_local(descriptor),
                   .mappable = space_taken && is_safe_to_map(descriptor),
                   .may_share = may_share_blocks(descriptor),
                   .threads = divide(plan.total_bytes, options.threads).lanes,
                   .threads_asked = options.threads > 0,
                   .bytes = plan.total_bytes};
  const bool matters = facts.threads > 1 || (facts.durable && facts.bytes >= kWorthDirect);
  if (!matters) return facts;
  Locality locality;
  for (const CopyStep& step : plan.steps) {
    const auto extent = is_straight(step) ? step.source->file_extent(step.runs.offset) : std::nullopt;
    if (!extent) continue;
    facts.from_files += step.runs.total_bytes;
    if (locality.of(extent->descriptor)) facts.from_local_files += step.runs.total_bytes;
  }
  return facts;
}

}  // namespace weighbridge::io
