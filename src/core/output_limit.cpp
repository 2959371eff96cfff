#include "core/output_limit.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"

namespace weighbridge {
namespace {

std::uint64_t output_limit(const Checkpoint& checkpoint, const Limits& limits) {
  if (limits.output_bytes != 0) return limits.output_bytes;
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  const std::uint64_t input = checkpoint.source_bytes;
  return std::max(checked_mul(input, 4).value_or(UINT64_MAX), checked_add(input, kGiB).value_or(UINT64_MAX));
}

}  // namespace

void check_output_size(std::uint64_t bytes, const Checkpoint& checkpoint, const Limits& limits) {
  const std::uint64_t limit = output_limit(checkpoint, limits);
  if (bytes <= limit) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("the output would be {} bytes, the limit for an input of {} bytes is {}", bytes,
                          checkpoint.source_bytes, limit));
}

}  // namespace weighbridge
