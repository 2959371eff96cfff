#include "io/uring.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include <weighbridge/error.hpp>

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/descriptor.hpp"

namespace weighbridge::io {
namespace {

// Both rings in one mapping (5.4), no completion lost (5.5), IORING_OP_READ and _WRITE (5.6).
constexpr std::uint32_t kNeeded = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS;

int enter(int ring, unsigned submit, unsigned complete) {
  return static_cast<int>(
      ::syscall(SYS_io_uring_enter, ring, submit, complete, IORING_ENTER_GETEVENTS, nullptr, 0));
}

/// Memory that is shared with the kernel.
class SharedMemory {
 public:
  SharedMemory(int ring, std::size_t bytes, std::uint64_t what)
      : base_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                     static_cast<off_t>(what))),
        bytes_(bytes) {}
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() {
    if (*this) ::munmap(base_, bytes_);
  }

  explicit operator bool() const noexcept { return base_ != MAP_FAILED; }

  template <typename T>
  [[nodiscard]] T* at(std::size_t offset) const noexcept {
    return reinterpret_cast<T*>(static_cast<std::byte*>(base_) + offset);
  }

 private:
  void* base_;
  std::size_t bytes_;
};

std::size_t ring_bytes(const io_uring_params& params) {
  return std::max(params.sq_off.array + params.sq_entries * sizeof(std::uint32_t),
                  params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
}

}  // namespace

/// The queues as the kernel lays them out. Of each pair of positions one is the kernel's to move.
class Ring::Queues {
 public:
  Queues(Descriptor ring, const io_uring_params& params, unsigned depth)
      : ring_(std::move(ring)),
        depth_(depth),
        rings_(ring_.get(), ring_bytes(params), IORING_OFF_SQ_RING),
        entries_(ring_.get(), params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES),
        params_(params) {}
  Queues(const Queues&) = delete;
  Queues& operator=(const Queues&) = delete;
  ~Queues() { drain(); }

  [[nodiscard]] bool mapped() const noexcept { return rings_ && entries_; }
  [[nodiscard]] unsigned in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] bool full() const noexcept { return in_flight_ == depth_; }

  void take_on(std::uint8_t operation, int descriptor, std::uint64_t offset, const void* memory,
               std::size_t bytes, std::uint64_t tag) {
    const std::uint32_t tail = *position(params_.sq_off.tail);
    const std::uint32_t slot = tail & (params_.sq_entries - 1);
    io_uring_sqe& entry = entries_.at<io_uring_sqe>(0)[slot];
    entry = io_uring_sqe{};
    entry.opcode = operation;
    entry.fd = descriptor;
    entry.off = offset;
    entry.addr = reinterpret_cast<std::uintptr_t>(memory);
    entry.len = static_cast<std::uint32_t>(bytes);
    entry.user_data = tag;
    position(params_.sq_off.array)[slot] = slot;
    std::atomic_ref(*position(params_.sq_off.tail)).store(tail + 1, std::memory_order_release);
    ++waiting_;
    ++in_flight_;
  }

  /// 0, or an errno.
  int start() {
    while (waiting_ > 0) {
      const int started = enter(ring_.get(), waiting_, 0);
      if (started > 0) {
        waiting_ -= static_cast<unsigned>(started);
      } else if (started == 0 || errno == EAGAIN || errno == EBUSY) {
        break;  // wait() makes room
      } else if (errno != EINTR) {
        return errno;
      }
    }
    return 0;
  }

  /// 0, or an errno.
  int wait(Completion& completion) {
    while (waiting_ > 0 || !has_completion()) {
      const int started = enter(ring_.get(), waiting_, has_completion() ? 0 : 1);
      if (started >= 0) {
        waiting_ -= static_cast<unsigned>(started);
      } else if (errno != EINTR && errno != EAGAIN && errno != EBUSY) {
        return errno;
      } else if (has_completion()) {
        break;  // room for what the kernel could not take on yet
      }
    }
    completion = take_completion();
    return 0;
  }

 private:
  [[nodiscard]] std::uint32_t* position(std::size_t offset) const noexcept {
    return rings_.at<std::uint32_t>(offset);
  }

  [[nodiscard]] bool has_completion() const {
    const std::uint32_t tail =
        std::atomic_ref(*position(params_.cq_off.tail)).load(std::memory_order_acquire);
    return tail != *position(params_.cq_off.head);
  }

  Completion take_completion() {
    const std::uint32_t head = *position(params_.cq_off.head);
    const auto& entry = rings_.at<io_uring_cqe>(params_.cq_off.cqes)[head & (params_.cq_entries - 1)];
    const Completion completion{.tag = entry.user_data, .result = entry.res};
    std::atomic_ref(*position(params_.cq_off.head)).store(head + 1, std::memory_order_release);
    --in_flight_;
    return completion;
  }

  void drain() noexcept {
    Completion ended;
    while (mapped() && in_flight_ > waiting_ && wait(ended) == 0) continue;
  }

  Descriptor ring_;
  unsigned depth_;
  SharedMemory rings_;
  SharedMemory entries_;
  io_uring_params params_;
  unsigned waiting_ = 0;  ///< Taken on, and not yet the kernel's.
  unsigned in_flight_ = 0;
};

Ring::Ring(std::unique_ptr<Queues> queues) noexcept : queues_(std::move(queues)) {}
Ring::Ring(Ring&&) noexcept = default;
Ring& Ring::operator=(Ring&&) noexcept = default;
Ring::~Ring() = default;

std::optional<Ring> Ring::open(unsigned depth) {
  io_uring_params params{};
  Descriptor ring(static_cast<int>(::syscall(SYS_io_uring_setup, depth, &params)));
  if (!ring || (params.features & kNeeded) != kNeeded) return std::nullopt;
  auto queues = std::make_unique<Queues>(std::move(ring), params, depth);
  if (!queues->mapped()) return std::nullopt;
  // A filter may allow the first of the calls and not the second.
  queues->take_on(IORING_OP_NOP, -1, 0, nullptr, 0, 0);
  Completion completion;
  if (queues->wait(completion) != 0 || completion.result != 0) return std::nullopt;
  return Ring(std::move(queues));
}

void Ring::read(int descriptor, std::uint64_t offset, std::span<std::byte> out, std::uint64_t tag) {
  queues_->take_on(IORING_OP_READ, descriptor, offset, out.data(), out.size(), tag);
}

void Ring::write(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, std::uint64_t tag) {
  queues_->take_on(IORING_OP_WRITE, descriptor, offset, bytes.data(), bytes.size(), tag);
}

void Ring::start() {
  const int failed = queues_->start();
  if (failed != 0) throw Error::from_errno(failed, "use", "io_uring");
}

Ring::Completion Ring::wait() {
  Completion completion;
  const int failed = queues_->wait(completion);
  if (failed != 0) throw Error::from_errno(failed, "use", "io_uring");
  return completion;
}

unsigned Ring::in_flight() const noexcept { return queues_->in_flight(); }
bool Ring::full() const noexcept { return queues_->full(); }

}  // namespace weighbridge::io
