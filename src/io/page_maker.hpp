// Pages for the memory that a load fills: large ones, as long as those pay.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <weighbridge/load.hpp>

#include "io/large_page_record.hpp"

namespace weighbridge::io {

/// Makes pages ahead of each copy. One for each load, which its threads share.
///
/// Large pages come in less than half the time of as much in small ones, unless the kernel has none ready: a
/// host that has taken back what was free makes one of them in twenty times as long, while small ones are
/// found between others. So a load of 4 MiB or more asks for them until the record says that they cost more.
class PageMaker {
 public:
  /// `steps` and `record` outlive it.
  PageMaker(std::span<const LoadStep> steps, const LoadOptions& options,
            LargePageRecord& record = large_page_record()) noexcept;

  /// As make_pages(), where the options want it. False when all the pages were there before, as far as is
  /// known.
  bool make(std::span<std::byte> memory) noexcept;

  /// Whether the load is of 64 MiB or more: then caches hold little of it when it is over.
  [[nodiscard]] bool much() const noexcept { return bytes_ >= kMuch; }

  /// Whether large pages are asked for.
  [[nodiscard]] bool large() const noexcept { return large_.load(std::memory_order_relaxed); }

  /// Counts what it took to make the pages of so many bytes.
  void count(std::chrono::nanoseconds taken, std::size_t bytes) noexcept;

 private:
  static constexpr std::uint64_t kMuch = std::uint64_t{64} << 20;

  void advise_all(bool large) noexcept;

  std::span<const LoadStep> steps_;
  LargePageRecord& record_;
  std::uint64_t bytes_;
  bool wanted_;
  std::atomic<bool> large_ = false;
};

}  // namespace weighbridge::io
