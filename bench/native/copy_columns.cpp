// What it takes to copy columns out of a mapped file into new memory, when nothing is known of tensors.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <weighbridge/large_pages.hpp>

#include "mapped_file.hpp"
#include "work.hpp"

namespace bench {
namespace {

struct GiveBack {
  std::size_t bytes = 0;
  void operator()(std::byte* first) const { weighbridge::large_page_memory().deallocate(first, bytes); }
};

/// The same stretch of every row, from the beginning of the file on. Each thread takes the next rows of about
/// a large page that nobody has.
class Columns final : public Work {
 public:
  explicit Columns(Arguments arguments)
      : path_(arguments[0]),
        row_(std::stoul(arguments[1])),
        begin_(std::stoul(arguments[2])),
        width_(std::stoul(arguments[3])) {}

  void run() override {
    const MappedFile& file = file_.emplace(path_);
    rows_ = file.bytes() / row_;
    const std::size_t bytes = rows_ * width_;
    memory_ = {static_cast<std::byte*>(weighbridge::large_page_memory().allocate(bytes)), GiveBack{bytes}};
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) threads.emplace_back([&] { copy(); });
    copy();
    for (std::thread& thread : threads) thread.join();
    file_.reset();
  }
  void drop() override { memory_.reset(); }
  [[nodiscard]] std::string listing() const override { return ""; }

 private:
  void copy() noexcept {
    const std::size_t some = kLargePage / width_;
    for (std::size_t row = 0; (row = next_.fetch_add(some)) < rows_;) {
      const std::size_t end = std::min(row + some, rows_);
      for (; row < end; ++row)
        std::memcpy(memory_.get() + row * width_, file_->data() + row * row_ + begin_, width_);
    }
  }

  std::string path_;
  std::size_t row_;
  std::size_t begin_;
  std::size_t width_;
  std::size_t rows_ = 0;
  std::atomic<std::size_t> next_ = 0;
  std::optional<MappedFile> file_ = {};
  std::unique_ptr<std::byte, GiveBack> memory_ = {};
};

}  // namespace

WorkPtr make_copy_columns(Arguments arguments) { return std::make_unique<Columns>(arguments); }

}  // namespace bench
