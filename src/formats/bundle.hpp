// Several checkpoints in one file: archives of checkpoints, packages of pickles.
//
// Without a key the main members are taken, each by its own rules. Their tensors are named
// <prefix>.<name> when there is more than one of them. A key begins with the prefix of a member and
// goes on within it; "." takes all members whole. In a bundle of one member, keys that begin with
// no prefix are that member's own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge {

enum class BundleRole : std::uint8_t {
  Main,
  Optimizer,  ///< Beside the model: taken as OpenOptions::optimizer says.
};

struct BundleMember {
  std::string file;    ///< Names the member in messages.
  std::string prefix;  ///< Unique among the members; what keys and names begin with.
  BundleRole role = BundleRole::Main;
  std::function<Checkpoint(const OpenOptions&)> read;
};

/// Prefixes for files: paths without their extension and with dots for slashes; with the extension
/// where two would be the same.
[[nodiscard]] std::vector<std::string> bundle_prefixes(const std::vector<std::string>& files);

/// The finding "MembersNotRead" for files of an archive that are no checkpoints. REQUIRES: some.
[[nodiscard]] Finding members_not_read(const std::vector<std::string>& files);

/// Reads the members that the options ask for, 64 at most, and joins them. Throws what their read
/// throws, with the member named; NoTensors for a key that no prefix begins; LimitExceeded.
[[nodiscard]] Checkpoint read_bundle(const std::vector<BundleMember>& members, const OpenOptions& options);

}  // namespace weighbridge
