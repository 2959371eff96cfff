#include "io/load_choice.hpp"

#include <fmt/format.h>

namespace weighbridge::io {
namespace {

// Below this a cold file is read before the direct reads have all been started.
constexpr std::uint64_t kWorthDirect = std::uint64_t{32} << 20;
// A file of which less is in memory counts as cold.
constexpr double kWarm = 0.5;

std::string percent(double share) { return fmt::format("{:.0f} % of it is in the page cache", share * 100); }

/// Whether nearly all that is wanted lies in long ranges.
bool in_long_ranges(const LoadFacts& facts) { return facts.wanted_long >= facts.wanted - facts.wanted / 10; }

LoadChoice choose_cold(const LoadFacts& facts, double resident) {
  const std::string cold = "only " + percent(resident);
  if (!in_long_ranges(facts)) {
    // Short ranges lie close together: what is read ahead for one serves the next, and other processes.
    return facts.mappable ? LoadChoice{LoadMode::View, cold + ", and short ranges share their pages"}
                          : LoadChoice{LoadMode::Copy, cold + ", and short ranges share their pages"};
  }
  if (facts.wanted < kWorthDirect)
    return {LoadMode::Copy, cold + ", and little is wanted: nothing is read ahead", true};
  return {LoadMode::Direct, cold};
}

LoadChoice choose_freely(const LoadFacts& facts) {
  if (!facts.file) {
    return facts.mappable ? LoadChoice{LoadMode::View, "it is in memory"}
                          : LoadChoice{LoadMode::Copy, "it is no plain file"};
  }
  if (facts.remote)
    return {LoadMode::Copy, "on a network or user-space file system a mapping could end the process"};
  const double resident = facts.resident.value_or(1);
  const auto missing = static_cast<std::uint64_t>(static_cast<double>(facts.wanted) * (1 - resident));
  if (resident < kWarm) return choose_cold(facts, resident);
  if (facts.available && missing > *facts.available && in_long_ranges(facts))
    return {LoadMode::Direct, "what is missing in the page cache has no room there"};
  if (!facts.mappable) return {LoadMode::Copy, "it was opened without a mapping"};
  return {LoadMode::View, facts.resident ? percent(resident) : "it is on a local file system"};
}

}  // namespace

LoadChoice choose_mode(LoadMode asked, const LoadFacts& facts) {
  if (asked == LoadMode::Auto || facts.wanted == 0) return choose_freely(facts);
  if (asked == LoadMode::View && !facts.mappable)
    return {LoadMode::Copy, "view was asked for, and it cannot be mapped"};
  if (asked == LoadMode::Direct && !facts.file)
    return {LoadMode::Copy, "direct was asked for, and it is no plain file"};
  return {asked, "asked for"};
}

}  // namespace weighbridge::io
