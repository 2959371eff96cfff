// One place for what many headers keep: small blocks, cut from pages that come together.
#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <vector>

namespace weighbridge::io {

/// Cuts blocks of up to 64 KiB from chunks: small chunks at first, then such as are a large page. The new
/// pages of a header of 300 tensors cost as much as reading it; in a large page, which it shares with 50
/// others, they cost a third. All chunks are given back together, when the arena ends: what a vector leaves
/// when it grows waits until then, and is less than as much again. Larger blocks come and go by themselves.
/// Any thread may use it. Throws std::bad_alloc.
class PageArena final : public std::pmr::memory_resource {
 public:
  /// `expected`: bytes that it will be filled with. Where they are worth it, a large page is mapped at once:
  /// later on that waits for every thread that is touching another one.
  explicit PageArena(std::size_t expected = 0);
  PageArena(const PageArena&) = delete;
  PageArena& operator=(const PageArena&) = delete;
  ~PageArena() override;

 private:
  struct Chunk {
    std::byte* first = nullptr;
    std::size_t bytes = 0;
  };

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }
  void add_chunk(std::size_t bytes);

  std::mutex mutex_;
  std::vector<Chunk> chunks_;
  void* free_ = nullptr;  // in the last of them
  std::size_t free_bytes_ = 0;
};

}  // namespace weighbridge::io
