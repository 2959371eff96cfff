#include <algorithm>
#include <deque>
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
/// touched cost nothing.
std::size_t rounded(std::size_t bytes) {
  std::size_t step = io::page_bytes();
  while (step * 16 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

Block map_block(std::size_t bytes) {
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  return {static_cast<std::byte*>(base), bytes};
}

void unmap(const Block& block) noexcept { ::munmap(block.base, block.bytes); }

std::shared_ptr<std::byte> take_small(std::size_t bytes) {
  auto* base = static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 1), kAlignment));
  return {base, [](std::byte* memory) { ::operator delete(memory, kAlignment); }};
}

}  // namespace

/// Those that wait, the longest waiting first.
class MemoryPool::Blocks {
 public:
  explicit Blocks(std::uint64_t keep) : keep_(keep) {}
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks() { shrink(0); }

  Block take(std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = std::ranges::find(waiting_, bytes, &Block::bytes);
      if (found != waiting_.end()) {
        const Block block = *found;
        waiting_.erase(found);
        kept_ -= block.bytes;
        return block;
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

 private:
  void shrink(std::uint64_t bytes) noexcept {
    while (kept_ > bytes) {
      kept_ -= waiting_.front().bytes;
      unmap(waiting_.front());
      waiting_.pop_front();
    }
  }

  mutable std::mutex mutex_;
  std::deque<Block> waiting_;
  std::uint64_t keep_;
  std::uint64_t kept_ = 0;
};

MemoryPool::MemoryPool(std::uint64_t keep) : blocks_(std::make_shared<Blocks>(keep)) {}

std::shared_ptr<std::byte> MemoryPool::take(std::size_t bytes) {
  if (bytes < kWorthKeeping) return take_small(bytes);
  const Block block = blocks_->take(rounded(bytes));
  return {block.base, [blocks = blocks_, block](std::byte*) { blocks->give_back(block); }};
}

void MemoryPool::set_keep(std::uint64_t bytes) { blocks_->set_keep(bytes); }
std::uint64_t MemoryPool::keep() const { return blocks_->keep(); }
std::uint64_t MemoryPool::kept() const { return blocks_->kept(); }

}  // namespace weighbridge
