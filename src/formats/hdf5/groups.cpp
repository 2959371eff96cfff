#include "formats/hdf5/groups.hpp"

#include <algorithm>

#include "formats/hdf5/messages.hpp"

namespace weighbridge::hdf5 {
namespace {

constexpr std::uint64_t kLeafMembers = 2 * kLeafHalf;
constexpr std::uint64_t kNodeChildren = 2 * kTreeHalf;
constexpr std::uint64_t kLeafBytes = 8 + kLeafMembers * 40;
constexpr std::uint64_t kNodeBytes = 24 + kNodeChildren * 8 + (kNodeChildren + 1) * 8;
constexpr std::uint64_t kHeapHeaderBytes = 32;

std::uint64_t divide_up(std::uint64_t count, std::uint64_t by) { return (count + by - 1) / by; }

/// A name with its NUL, in a whole number of 8 bytes.
std::uint64_t name_bytes(std::string_view name) { return name.size() / 8 * 8 + 8; }

/// In front of all names stands the empty one.
std::uint64_t names_bytes(const std::vector<GroupMember>& members) {
  std::uint64_t bytes = 8;
  for (const GroupMember& member : members) bytes += name_bytes(member.name);
  return bytes;
}

/// Nodes of each level, the leaves first; the last level has one.
std::vector<std::uint64_t> levels_of(std::uint64_t members) {
  std::vector<std::uint64_t> levels = {std::max<std::uint64_t>(1, divide_up(members, kLeafMembers))};
  do {
    levels.push_back(divide_up(levels.back(), kNodeChildren));
  } while (levels.back() > 1);
  return levels;
}

class GroupWriter {
 public:
  GroupWriter(const std::vector<GroupMember>& members, std::uint64_t address)
      : members_(members), places_(group_places(members, address)), levels_(levels_of(members.size())) {
    std::uint64_t at = 8;
    for (const GroupMember& member : members) {
      names_.push_back(at);
      at += name_bytes(member.name);
    }
    at = places_.tree;
    for (std::size_t level = levels_.size(); level-- > 0;) {
      level_at_.insert(level_at_.begin(), at);
      at += levels_[level] * (level == 0 ? kLeafBytes : kNodeBytes);
    }
  }

  std::string run() && {
    out_.text(group_header(places_.tree, places_.names));
    write_names();
    for (std::size_t level = levels_.size(); level-- > 1;) write_level(level);
    write_leaves();
    return out_.take();
  }

 private:
  void write_names() {
    constexpr std::uint64_t kNoFreeSpace = 1;
    out_.text("HEAP").u8(0).zeros(3).u64(names_bytes(members_)).u64(kNoFreeSpace);
    out_.u64(places_.names + kHeapHeaderBytes).zeros(8);
    for (const GroupMember& member : members_) {
      out_.text(member.name).zeros(name_bytes(member.name) - member.name.size());
    }
  }

  /// Members below all nodes up to this one of its level.
  [[nodiscard]] std::uint64_t members_up_to(std::size_t level, std::uint64_t nodes) const {
    std::uint64_t members = nodes * kLeafMembers;
    for (std::size_t i = 0; i < level; ++i) members *= kNodeChildren;
    return std::min<std::uint64_t>(members, members_.size());
  }

  /// A key is the largest name on its left, the empty one in front of all.
  [[nodiscard]] std::uint64_t key(std::size_t level, std::uint64_t nodes) const {
    const std::uint64_t members = members_up_to(level, nodes);
    return members == 0 ? 0 : names_[members - 1];
  }

  void write_level(std::size_t level) {
    const std::uint64_t child_bytes = level == 1 ? kLeafBytes : kNodeBytes;
    for (std::uint64_t node = 0; node < levels_[level]; ++node) {
      const std::uint64_t first = node * kNodeChildren;
      const std::uint64_t count = std::min(kNodeChildren, levels_[level - 1] - first);
      const std::uint64_t begin = out_.size();
      const std::uint64_t at = level_at_[level] + node * kNodeBytes;
      out_.text("TREE").u8(0).u8(level - 1).u16(members_.empty() ? 0 : count);
      out_.u64(node == 0 ? kUndefined : at - kNodeBytes);
      out_.u64(node + 1 == levels_[level] ? kUndefined : at + kNodeBytes);
      for (std::uint64_t child = first; child < first + count; ++child) {
        out_.u64(key(level - 1, child)).u64(level_at_[level - 1] + child * child_bytes);
      }
      out_.u64(key(level - 1, first + count));
      out_.zeros(kNodeBytes - (out_.size() - begin));
    }
  }

  void write_leaves() {
    for (std::uint64_t leaf = 0; leaf < levels_[0]; ++leaf) {
      const std::uint64_t first = leaf * kLeafMembers;
      const std::uint64_t count = std::min<std::uint64_t>(kLeafMembers, members_.size() - first);
      out_.text("SNOD").u8(1).u8(0).u16(count);
      for (std::uint64_t i = first; i < first + count; ++i) {
        out_.u64(names_[i]).u64(members_[i].header).zeros(24);
      }
      out_.zeros((kLeafMembers - count) * 40);
    }
  }

  const std::vector<GroupMember>& members_;
  GroupPlaces places_;
  std::vector<std::uint64_t> levels_;
  std::vector<std::uint64_t> level_at_;  ///< Address of the first node of each level.
  std::vector<std::uint64_t> names_;     ///< Offset of each member's name among all.
  Fields out_;
};

}  // namespace

GroupPlaces group_places(const std::vector<GroupMember>& members, std::uint64_t address) {
  const std::uint64_t names = address + kGroupHeaderBytes;
  return {.tree = names + kHeapHeaderBytes + names_bytes(members), .names = names};
}

std::uint64_t group_size(const std::vector<GroupMember>& members) {
  const std::vector<std::uint64_t> levels = levels_of(members.size());
  std::uint64_t bytes = group_places(members, 0).tree + levels[0] * kLeafBytes;
  for (std::size_t level = 1; level < levels.size(); ++level) bytes += levels[level] * kNodeBytes;
  return bytes;
}

std::string group_bytes(const std::vector<GroupMember>& members, std::uint64_t address) {
  return GroupWriter(members, address).run();
}

}  // namespace weighbridge::hdf5
