#include "io/page_arena.hpp"

#include <weighbridge/large_pages.hpp>

#include "io/pages.hpp"

namespace weighbridge::io {
namespace {

constexpr std::size_t kLargestBlock = std::size_t{64} << 10;
constexpr std::size_t kSmallChunk = std::size_t{64} << 10;
// A large page costs as much as some hundred small ones, whatever is put into it.
constexpr std::size_t kSmallChunks = 4;

bool is_cut(std::size_t bytes, std::size_t alignment) noexcept {
  return bytes <= kLargestBlock && alignment <= alignof(std::max_align_t);
}

}  // namespace

PageArena::PageArena(std::size_t expected) {
  if (expected >= kLargePage / 2) add_chunk(kLargePage);
}

PageArena::~PageArena() {
  for (const Chunk& chunk : chunks_) large_page_memory().deallocate(chunk.first, chunk.bytes);
}

void* PageArena::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (!is_cut(bytes, alignment)) return large_page_memory().allocate(bytes, alignment);
  const std::lock_guard lock(mutex_);
  // A new chunk is aligned for every block, and none is longer.
  if (std::align(alignment, bytes, free_, free_bytes_) == nullptr)
    add_chunk(chunks_.size() < kSmallChunks ? kSmallChunk : kLargePage);
  void* const block = free_;
  free_ = static_cast<std::byte*>(free_) + bytes;
  free_bytes_ -= bytes;
  return block;
}

void PageArena::do_deallocate(void* block, std::size_t bytes, std::size_t alignment) {
  if (!is_cut(bytes, alignment)) large_page_memory().deallocate(block, bytes, alignment);
}

void PageArena::add_chunk(std::size_t bytes) {
  chunks_.reserve(chunks_.size() + 1);
  chunks_.push_back({static_cast<std::byte*>(large_page_memory().allocate(bytes)), bytes});
  free_ = chunks_.back().first;
  free_bytes_ = bytes;
}

}  // namespace weighbridge::io
