#include "io/page_maker.hpp"

#include "io/pages.hpp"

namespace weighbridge::io {
namespace {

// To find out that large pages come slowly takes 10 ms or more: in less memory they could not make up for it.
constexpr std::uint64_t kWorthAsking = std::uint64_t{64} << 20;
constexpr std::int64_t kMostLost = std::chrono::nanoseconds(std::chrono::milliseconds(10)).count();

// What as much costs in small pages: 0.3 ns for each byte.
std::int64_t cost_of_small(std::uint64_t bytes) noexcept { return static_cast<std::int64_t>(bytes / 10 * 3); }

std::uint64_t bytes_of(std::span<const LoadStep> steps) noexcept {
  std::uint64_t bytes = 0;
  for (const LoadStep& step : steps) bytes += step.out.size();
  return bytes;
}

}  // namespace

PageMaker::PageMaker(std::span<const LoadStep> steps, const LoadOptions& options) noexcept
    : steps_(steps),
      wanted_(options.prefault),
      large_(options.prefault && options.large_pages && bytes_of(steps) >= kWorthAsking) {
  if (large()) advise_all(true);
}

void PageMaker::make(std::span<std::byte> memory) noexcept {
  if (!wanted_) return;
  const auto begun = std::chrono::steady_clock::now();
  const bool made = make_pages(memory);
  if (made && large()) count(std::chrono::steady_clock::now() - begun, memory.size());
}

void PageMaker::count(std::chrono::nanoseconds taken, std::size_t bytes) noexcept {
  const std::int64_t more = taken.count() - cost_of_small(bytes);
  const bool too_much = lost_.fetch_add(more, std::memory_order_relaxed) + more > kMostLost;
  if (too_much && large_.exchange(false, std::memory_order_relaxed)) advise_all(false);
}

void PageMaker::advise_all(bool large) noexcept {
  for (const LoadStep& step : steps_) advise_large_pages(step.out, large);
}

}  // namespace weighbridge::io
