#include "io/page_maker.hpp"

#include "io/pages.hpp"

namespace weighbridge::io {
namespace {

using std::chrono::steady_clock;

// In less memory large pages save nothing that shows.
constexpr std::uint64_t kWorthAsking = std::uint64_t{4} << 20;

std::uint64_t bytes_of(std::span<const LoadStep> steps) noexcept {
  std::uint64_t bytes = 0;
  for (const LoadStep& step : steps) bytes += step.out.size();
  return bytes;
}

}  // namespace

PageMaker::PageMaker(std::span<const LoadStep> steps, const LoadOptions& options,
                     LargePageRecord& record) noexcept
    : steps_(steps), record_(record), bytes_(bytes_of(steps)), wanted_(options.prefault) {
  if (!options.prefault || !options.large_pages || bytes_ < kWorthAsking) return;
  large_ = record_.promising(steady_clock::now());
  advise_all(large());  // memory that is used again may know another wish
}

bool PageMaker::make(std::span<std::byte> memory) noexcept {
  if (!wanted_) return true;
  const auto begun = steady_clock::now();
  const bool made = make_pages(memory);
  if (made && large()) count(steady_clock::now() - begun, memory.size());
  return made;
}

void PageMaker::count(std::chrono::nanoseconds taken, std::size_t bytes) noexcept {
  const auto now = steady_clock::now();
  record_.count(taken, bytes, now);
  if (record_.promising(now)) return;
  if (large_.exchange(false, std::memory_order_relaxed)) advise_all(false);
}

void PageMaker::advise_all(bool large) noexcept {
  for (const LoadStep& step : steps_) advise_large_pages(step.out, large);
}

}  // namespace weighbridge::io
