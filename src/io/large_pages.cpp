#include <array>
#include <cstddef>
#include <limits>
#include <new>

#include <weighbridge/large_pages.hpp>

#include <sys/mman.h>

#include "io/pages.hpp"

namespace weighbridge {
namespace {

using io::kLargePage;

// A large page is made in less time than a quarter as much in small ones.
constexpr std::size_t kLeast = kLargePage / 4;

// Mapped blocks lie at multiples of a page; nobody asks for more.
constexpr std::size_t kMostAlignment = 4096;

bool is_mapped(std::size_t bytes, std::size_t alignment) noexcept {
  return bytes >= kLeast && alignment <= kMostAlignment;
}

// Kernels place blocks of whole large pages so that they begin with one.
std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + kLargePage - 1) / kLargePage * kLargePage;
}

class LargePages final : public std::pmr::memory_resource {
 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (!is_mapped(bytes, alignment)) return small().allocate(bytes, alignment);
    if (bytes > std::numeric_limits<std::size_t>::max() - kLargePage) throw std::bad_alloc();
    const std::size_t mapped = whole_pages(bytes);
    void* block = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) throw std::bad_alloc();
    ::madvise(block, mapped, MADV_HUGEPAGE);  // small pages serve as well, where there are no large ones
    return block;
  }

  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    if (!is_mapped(bytes, alignment)) return small().deallocate(block, bytes, alignment);
    ::munmap(block, whole_pages(bytes));
  }

  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  static std::pmr::memory_resource& small() noexcept { return *std::pmr::new_delete_resource(); }
};

}  // namespace

std::pmr::memory_resource& large_page_memory() noexcept {
  // Never destroyed: headers that outlive the end of main still have their memory.
  alignas(LargePages) static std::array<std::byte, sizeof(LargePages)> place;
  static auto* const memory = new (place.data()) LargePages;
  return *memory;
}

}  // namespace weighbridge
