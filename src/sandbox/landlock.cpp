#include "sandbox/landlock.hpp"

#include <cerrno>
#include <cstdint>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/descriptor.hpp"

namespace weighbridge::sandbox {
namespace {

// The numbers are the same on every architecture; the system's headers may be older than its kernel.
constexpr long kCreateRuleset = 444;
constexpr long kRestrictSelf = 446;
constexpr unsigned kAskVersion = 1;

/// struct landlock_ruleset_attr of ABI 6. An older kernel takes it as long as what it does not know is 0.
struct Ruleset {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};

constexpr std::uint64_t lowest_bits(unsigned count) { return (std::uint64_t{1} << count) - 1; }

Ruleset everything(long abi) noexcept {
  Ruleset rules{.files = lowest_bits(13), .network = 0, .scopes = 0};
  if (abi >= 2) rules.files = lowest_bits(14);   // moving between folders
  if (abi >= 3) rules.files = lowest_bits(15);   // truncating
  if (abi >= 4) rules.network = lowest_bits(2);  // binding and connecting TCP
  if (abi >= 5) rules.files = lowest_bits(16);   // ioctl of devices
  if (abi >= 6) rules.scopes = lowest_bits(2);   // abstract sockets, signals
  return rules;
}

std::string describe(long abi) {
  return fmt::format("ABI {}: no path{}{}", abi, abi >= 4 ? ", no TCP" : "", abi >= 6 ? ", no signal" : "");
}

}  // namespace

Outcome give_up_paths() {
  const long abi = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  if (abi < 0) return Outcome::failed("landlock_create_ruleset", errno);
  const Ruleset rules = everything(abi);
  const io::Descriptor ruleset(static_cast<int>(::syscall(kCreateRuleset, &rules, sizeof rules, 0U)));
  if (!ruleset) return Outcome::failed("landlock_create_ruleset", errno);
  if (::syscall(kRestrictSelf, ruleset.get(), 0U) != 0)
    return Outcome::failed("landlock_restrict_self", errno);
  return Outcome::yes(describe(abi));
}

}  // namespace weighbridge::sandbox
