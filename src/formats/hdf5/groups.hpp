// Groups of new HDF5 files: their members by name in a B-tree, as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weighbridge::hdf5 {

/// A member of a group, and where its object header lies.
struct GroupMember {
  std::string_view name;
  std::uint64_t header = 0;
};

/// How many bytes group_bytes() gives for these names.
std::uint64_t group_size(const std::vector<GroupMember>& members);

/// Object header, names and tree of a group, in this order, from `address` on: a group is known by the
/// address of its header. REQUIRES: members ordered by the bytes of their names, none twice.
std::string group_bytes(const std::vector<GroupMember>& members, std::uint64_t address);

/// Where in these bytes the tree and the names begin, as the entry of the root in the superblock has them.
struct GroupPlaces {
  std::uint64_t tree = 0;
  std::uint64_t names = 0;
};
GroupPlaces group_places(const std::vector<GroupMember>& members, std::uint64_t address);

// As the superblock says: half of what a node holds.
inline constexpr std::uint64_t kLeafHalf = 4;
inline constexpr std::uint64_t kTreeHalf = 16;

}  // namespace weighbridge::hdf5
