#include "io/direct_sink.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <unistd.h>

#include "io/pages.hpp"
#include "io/unit_memory.hpp"
#include "io/uring.hpp"

namespace weighbridge::io {
namespace {

constexpr unsigned kWritesAtOnce = 16;  // of all lanes; more make no disk faster

std::uint64_t round_down(std::uint64_t value, std::uint64_t unit) { return value - value % unit; }
std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) { return round_down(value + unit - 1, unit); }

/// Room for one unit of the file; bytes [begin, end) of the file lie in it where they lie in their unit.
struct Unit {
  std::byte* memory = nullptr;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::span<std::byte> bytes(std::uint64_t from, std::uint64_t to) const {
    return {memory + from % kUnit, to - from};
  }
};

}  // namespace

class DirectSink::Lane final : public Sink {
 public:
  explicit Lane(DirectSink& sink)
      : sink_(sink), units_(sink.depth_), memory_(sink.depth_), ring_(Ring::open(sink.depth_)) {
    if (!ring_) units_.resize(1);
    for (std::size_t i = units_.size(); i-- > 0;) {
      units_[i].memory = memory_.of(i);
      free_.push_back(i);
    }
    if (ring_) sink_.io_uring_ = true;
  }

  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (filling_ && units_[*filling_].end != offset) send();
    while (!bytes.empty()) {
      Unit& unit = unit_at(offset);
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), kUnit - offset % kUnit));
      std::ranges::copy(part, unit.bytes(offset, offset + part.size()).begin());
      offset += part.size();
      unit.end = offset;
      bytes = bytes.subspan(part.size());
      if (offset % kUnit == 0) send();
    }
  }

  Copied copy(FileExtent from, std::uint64_t offset, std::uint64_t length) override {
    const std::uint64_t copied = copy_in_kernel(from, sink_.descriptor_, offset, length);
    return {.bytes = copied, .in_kernel = copied};
  }

  void complete() override {
    send();
    while (ring_ && ring_->in_flight() > 0) take_completion();
  }

 private:
  /// The unit that is being filled, or a free one for what begins at `offset`.
  Unit& unit_at(std::uint64_t offset) {
    if (filling_) return units_[*filling_];
    if (free_.empty()) take_completion();
    filling_ = free_.back();
    free_.pop_back();
    Unit& unit = units_[*filling_];
    unit.begin = unit.end = offset;
    return unit;
  }

  /// Starts the write of what was filled in: the blocks that are whole; the rest is written at once.
  void send() {
    if (!filling_) return;
    const std::size_t number = *std::exchange(filling_, std::nullopt);
    Unit& unit = units_[number];
    const std::uint64_t begin = std::min(unit.end, round_up(unit.begin, sink_.direct_.block_bytes));
    const std::uint64_t end = std::max(begin, round_down(unit.end, sink_.direct_.block_bytes));
    write_cached(unit, unit.begin, begin);
    write_cached(unit, end, unit.end);
    unit.begin = begin;
    unit.end = end;
    if (begin == end) {
      free_.push_back(number);
    } else {
      start(number);
    }
  }

  void start(std::size_t number) {
    const Unit& unit = units_[number];
    const auto bytes = unit.bytes(unit.begin, unit.end);
    const int file = sink_.direct_.descriptor.get();
    if (ring_) {
      ring_->write(file, unit.begin, bytes, number);
      ring_->start();
    } else {
      settle(number, ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(unit.begin)));
    }
  }

  void take_completion() {
    const Ring::Completion ended = ring_->wait();
    settle(ended.tag, ended.result);
  }

  /// What was not written is written in the usual way, which also says why it cannot be.
  void settle(std::size_t number, std::int64_t result) {
    const Unit& unit = units_[number];
    const std::uint64_t done = result > 0 ? static_cast<std::uint64_t>(result) : 0;
    sink_.direct_bytes_ += done;
    free_.push_back(number);
    write_cached(unit, unit.begin + done, unit.end);
  }

  void write_cached(const Unit& unit, std::uint64_t from, std::uint64_t to) {
    if (from < to) write_at(sink_.descriptor_, from, unit.bytes(from, to), sink_.path_);
  }

  DirectSink& sink_;
  std::vector<Unit> units_;
  UnitMemory memory_;  // outlives the ring, which may still read it
  std::vector<std::size_t> free_;
  std::optional<std::size_t> filling_;
  std::optional<Ring> ring_;
};

DirectSink::DirectSink(int descriptor, DirectFile direct, std::string path, unsigned lanes)
    : descriptor_(descriptor),
      direct_(std::move(direct)),
      path_(std::move(path)),
      depth_(std::max(1U, kWritesAtOnce / std::max(1U, lanes))) {}

DirectSink::~DirectSink() = default;

bool DirectSink::takes(const DirectFile& direct) noexcept {
  return direct.descriptor && kUnit % direct.block_bytes == 0 && direct.memory_alignment <= page_bytes();
}

Sink& DirectSink::lane(unsigned number) {
  auto& lane = lanes_.at(number);
  if (!lane) lane = std::make_unique<Lane>(*this);
  return *lane;
}

void DirectSink::complete() {
  for (const auto& lane : lanes_) {
    if (lane) lane->complete();
  }
}

void DirectSink::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  lane(0).write(offset, bytes);
}

Copied DirectSink::copy(FileExtent from, std::uint64_t offset, std::uint64_t length) {
  return lane(0).copy(from, offset, length);
}

}  // namespace weighbridge::io
