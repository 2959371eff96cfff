#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace weighbridge::python {
namespace {

constexpr std::size_t kMostThreads = 8;

class Crew {
 public:
  Crew(std::span<const Piece> pieces, const std::function<void(const Piece&)>& work)
      : pieces_(pieces), work_(work) {}

  void run() noexcept {
    for (std::size_t i = next_++; i < pieces_.size(); i = next_++) {
      try {
        work_(pieces_[i]);
      } catch (...) {
        fail(std::current_exception());
      }
    }
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void fail(std::exception_ptr failure) {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    next_ = pieces_.size();
  }

  std::span<const Piece> pieces_;
  const std::function<void(const Piece&)>& work_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

std::size_t useful_threads(std::span<const Piece> pieces) {
  std::uint64_t bytes = 0;
  for (const Piece& piece : pieces) bytes += piece.bytes;
  const std::size_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  return std::min<std::size_t>({cores, kMostThreads, bytes / kPieceBytes + 1});
}

}  // namespace

std::vector<Piece> cut_pieces(std::span<const std::uint64_t> sizes) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    for (std::uint64_t from = 0; from < sizes[i]; from += kPieceBytes) {
      pieces.push_back({i, from, std::min(kPieceBytes, sizes[i] - from)});
    }
  }
  return pieces;
}

void run_pieces(std::span<const Piece> pieces, const std::function<void(const Piece&)>& work) {
  Crew crew(pieces, work);
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < useful_threads(pieces); ++i) {
    try {
      threads.emplace_back([&crew] { crew.run(); });
    } catch (const std::system_error&) {
      break;  // no more threads to be had: those that are there do it all
    }
  }
  crew.run();
  threads.clear();
  crew.rethrow();
}

}  // namespace weighbridge::python
