// What it takes to have a file in the page cache and mapped, with so many faults at once.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "mapped_file.hpp"
#include "work.hpp"

namespace bench {
namespace {

constexpr std::size_t kPage = 4096;

/// Looks at a byte of every page. Each thread takes the next large page that nobody has.
class Fill final : public Work {
 public:
  explicit Fill(Arguments arguments) : path_(arguments[0]), at_once_(std::stoul(arguments[1])) {}

  void run() override {
    const MappedFile& file = file_.emplace(path_);
    file.use_large_pages();
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < at_once_; ++i) threads.emplace_back([&] { touch(file, next); });
    for (std::thread& thread : threads) thread.join();
  }
  void drop() override { file_.reset(); }
  [[nodiscard]] std::string listing() const override { return ""; }

 private:
  static void touch(const MappedFile& file, std::atomic<std::size_t>& next) {
    for (std::size_t at = 0; (at = next.fetch_add(kLargePage)) < file.bytes();) {
      const std::size_t end = std::min(at + kLargePage, file.bytes());
      for (; at < end; at += kPage) static_cast<void>(file.first()[at]);
    }
  }

  std::string path_;
  std::size_t at_once_;
  std::optional<MappedFile> file_ = {};
};

}  // namespace

WorkPtr make_fill(Arguments arguments) { return std::make_unique<Fill>(arguments); }

}  // namespace bench
