#include <algorithm>
#include <deque>
#include <limits>
#include <mutex>
#include <new>

#include <weighbridge/memory_pool.hpp>

#include <sys/mman.h>

#include "io/pages.hpp"

namespace weighbridge {
namespace {

// Smaller pieces the C library hands out again by itself.
constexpr std::size_t kWorthKeeping = std::size_t{256} << 10;
constexpr std::align_val_t kAlignment{64};

struct Block {
  std::byte* base = nullptr;
  std::size_t bytes = 0;
};

/// Sizes in steps of an eighth, so that a block serves what is nearly of its size. Pages that are never
/// touched cost nothing. Most of a large page becomes a whole one.
std::size_t rounded(std::size_t bytes) {
  std::size_t step = io::page_bytes();
  while (step * 16 <= bytes) step *= 2;
  const std::size_t steps = (bytes + step - 1) / step * step;
  const std::size_t last = steps % io::kLargePage;
  return last < io::kMostOfLargePage ? steps : steps - last + io::kLargePage;
}

void unmap(const Block& block) noexcept {
  if (block.bytes > 0) ::munmap(block.base, block.bytes);
}

Block map_block(std::size_t bytes) {
  // As much more as lets it begin with a large page.
  const std::size_t more = bytes < io::kLargePage ? 0 : io::kLargePage - io::page_bytes();
  if (bytes > std::numeric_limits<std::size_t>::max() - more) throw std::bad_alloc();
  void* mapped = ::mmap(nullptr, bytes + more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* base = static_cast<std::byte*>(mapped);
  if (more == 0) return {base, bytes};
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(base) % io::kLargePage;
  unmap({base, before});
  unmap({base + before + bytes, more - before});
  return {base + before, bytes};
}

std::shared_ptr<std::byte> take_small(std::size_t bytes) {
  auto* base = static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 1), kAlignment));
  return {base, [](std::byte* memory) { ::operator delete(memory, kAlignment); }};
}

}  // namespace

/// Those that wait, the longest waiting first. The first of them are lent.
class MemoryPool::Blocks {
 public:
  Blocks(std::uint64_t keep, std::uint64_t firm) : keep_(keep), firm_(firm) {}
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks() { shrink(0); }

  Block take(std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = waiting_.size(); i-- > 0;) {
        if (waiting_[i].bytes == bytes) return remove(i);
      }
    }
    return map_block(bytes);
  }

  void give_back(const Block& block) noexcept {
    const std::lock_guard lock(mutex_);
    if (block.bytes > keep_) return unmap(block);
    try {
      waiting_.push_back(block);
    } catch (const std::bad_alloc&) {
      return unmap(block);
    }
    kept_ += block.bytes;
    shrink(keep_);
    lend();
  }

  void set_keep(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    keep_ = bytes;
    shrink(keep_);
  }

  [[nodiscard]] std::uint64_t keep() const {
    const std::lock_guard lock(mutex_);
    return keep_;
  }

  [[nodiscard]] std::uint64_t kept() const {
    const std::lock_guard lock(mutex_);
    return kept_;
  }

  [[nodiscard]] std::uint64_t lent() const {
    const std::lock_guard lock(mutex_);
    return lent_;
  }

 private:
  Block remove(std::size_t i) noexcept {
    const Block block = waiting_[i];
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    kept_ -= block.bytes;
    if (i < lent_blocks_) {
      --lent_blocks_;
      lent_ -= block.bytes;
    }
    return block;
  }

  void shrink(std::uint64_t bytes) noexcept {
    while (kept_ > bytes) unmap(remove(0));
  }

  void lend() noexcept {
    while (kept_ - lent_ > firm_) {
      const Block& block = waiting_[lent_blocks_];
      if (!io::lend_pages({block.base, block.bytes})) {
        unmap(remove(lent_blocks_));
        continue;
      }
      ++lent_blocks_;
      lent_ += block.bytes;
    }
  }

  mutable std::mutex mutex_;
  std::deque<Block> waiting_;
  std::size_t lent_blocks_ = 0;
  std::uint64_t keep_;
  const std::uint64_t firm_;
  std::uint64_t kept_ = 0;
  std::uint64_t lent_ = 0;
};

MemoryPool::MemoryPool(std::uint64_t keep, std::uint64_t firm)
    : blocks_(std::make_shared<Blocks>(keep, firm)) {}

std::shared_ptr<std::byte> MemoryPool::take(std::size_t bytes) {
  if (bytes < kWorthKeeping) return take_small(bytes);
  const Block block = blocks_->take(rounded(bytes));
  return {block.base, [blocks = blocks_, block](std::byte*) { blocks->give_back(block); }};
}

void MemoryPool::set_keep(std::uint64_t bytes) { blocks_->set_keep(bytes); }
std::uint64_t MemoryPool::keep() const { return blocks_->keep(); }
std::uint64_t MemoryPool::kept() const { return blocks_->kept(); }
std::uint64_t MemoryPool::lent() const { return blocks_->lent(); }

}  // namespace weighbridge
