#include "object_pages.hpp"

#include <iterator>
#include <map>
#include <new>

#include <weighbridge/large_pages.hpp>

namespace weighbridge::python {

#if defined(Py_LIMITED_API) || defined(Py_GIL_DISABLED)

ObjectPages::ObjectPages(std::size_t) : active_(false) {}
ObjectPages::~ObjectPages() = default;

#else

namespace {

// So many objects need several arenas.
constexpr std::size_t kMany = 16384;

// Stands in front of the allocator that Python had, from the first use on and for ever: Python gives arenas
// back long after it took them. All is done under the global interpreter lock.
class LargeArenas {
 public:
  static LargeArenas& instance() {
    static auto* const arenas = new LargeArenas;
    return *arenas;
  }

  void start() noexcept { ++users_; }
  void stop() noexcept { --users_; }

 private:
  static constexpr std::size_t kBlock = std::size_t{2} << 20;

  LargeArenas() {
    PyObject_GetArenaAllocator(&usual_);
    PyObjectArenaAllocator mine{.ctx = this, .alloc = take, .free = give_back};
    PyObject_SetArenaAllocator(&mine);
  }

  static void* take(void* self, std::size_t bytes) noexcept {
    auto& arenas = *static_cast<LargeArenas*>(self);
    if (arenas.users_ > 0 && bytes <= kBlock) {
      if (void* arena = arenas.take_large(bytes)) return arena;
    }
    return arenas.usual_.alloc(arenas.usual_.ctx, bytes);
  }

  static void give_back(void* self, void* arena, std::size_t bytes) noexcept {
    auto& arenas = *static_cast<LargeArenas*>(self);
    if (!arenas.give_back_large(static_cast<std::byte*>(arena))) {
      arenas.usual_.free(arenas.usual_.ctx, arena, bytes);
    }
  }

  void* take_large(std::size_t bytes) noexcept {
    if (used_ + bytes > kBlock || current_ == blocks_.end()) {
      if (!add_block()) return nullptr;
    }
    std::byte* arena = current_->first + used_;
    used_ += bytes;
    ++current_->second;
    return arena;
  }

  bool add_block() noexcept try {
    auto* const start = static_cast<std::byte*>(large_page_memory().allocate(kBlock));
    current_ = blocks_.emplace(start, 0).first;
    used_ = 0;
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  bool give_back_large(std::byte* arena) noexcept {
    auto block = blocks_.upper_bound(arena);
    if (block == blocks_.begin()) return false;
    block = std::prev(block);
    if (arena >= block->first + kBlock) return false;
    if (--block->second == 0) remove(block);
    return true;
  }

  using Blocks = std::map<std::byte*, std::size_t>;

  void remove(Blocks::iterator block) noexcept {
    if (block == current_) current_ = blocks_.end();
    large_page_memory().deallocate(block->first, kBlock);
    blocks_.erase(block);
  }

  PyObjectArenaAllocator usual_{};
  Blocks blocks_;  // by their starts, each with the number of its arenas that Python has
  Blocks::iterator current_ = blocks_.end();
  std::size_t used_ = 0;  // bytes of the current one
  int users_ = 0;
};

}  // namespace

ObjectPages::ObjectPages(std::size_t objects) : active_(objects >= kMany) {
  if (active_) LargeArenas::instance().start();
}

ObjectPages::~ObjectPages() {
  if (active_) LargeArenas::instance().stop();
}

#endif

}  // namespace weighbridge::python
