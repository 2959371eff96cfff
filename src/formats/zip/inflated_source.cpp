#include "formats/zip/inflated_source.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "formats/zip/failure.hpp"
#include "formats/zip/inflater.hpp"

namespace weighbridge::zip {
namespace {

constexpr std::uint64_t kWindowBytes = 64 * 1024;
constexpr std::uint64_t kMinSpan = std::uint64_t{4} << 20;
constexpr std::uint64_t kSpans = 100;  // of each kind below: 200 states of 40 KiB at most
constexpr int kSequentialPasses = 2;   // converting and verifying need no way back

/// The decoder at one place of the stream.
struct Cursor {
  Inflater inflater;
  std::uint64_t compressed_offset = 0;
  std::uint64_t offset = 0;
};

/// Copies of the cursor, in the order of the stream. Both the distance in the content and that in
/// the compressed data count, so that neither long runs nor empty blocks make a gap costly.
class Waypoints {
 public:
  Waypoints(std::uint64_t bytes, std::uint64_t compressed_bytes)
      : span_(std::max(kMinSpan, bytes / kSpans)),
        compressed_span_(std::max(kMinSpan, compressed_bytes / kSpans)) {}

  /// Keeps a copy of the cursor if it is far enough behind the last one kept.
  void consider(const Cursor& cursor) {
    const std::uint64_t last = points_.empty() ? 0 : points_.back().offset;
    const std::uint64_t last_compressed = points_.empty() ? 0 : points_.back().compressed_offset;
    const bool far = range_fits(last, span_, cursor.offset) ||
                     range_fits(last_compressed, compressed_span_, cursor.compressed_offset);
    if (far) points_.push_back(cursor);
  }

  /// The last point that is not behind `offset`.
  [[nodiscard]] const Cursor* find_before(std::uint64_t offset) const {
    const auto after = std::ranges::upper_bound(points_, offset, {}, &Cursor::offset);
    return after == points_.begin() ? nullptr : &*std::prev(after);
  }

 private:
  std::uint64_t span_;
  std::uint64_t compressed_span_;
  std::vector<Cursor> points_;
};

/// The part of the compressed data that is in memory.
class CompressedWindow {
 public:
  explicit CompressedWindow(SourcePtr source) : source_(std::move(source)) {}

  [[nodiscard]] std::uint64_t size() const { return source_->size(); }

  /// Bytes from `offset` on: at least one, unless the data ends there.
  std::span<const std::byte> from(std::uint64_t offset) {
    const bool inside = offset >= offset_ && offset - offset_ < buffer_.size();
    if (!inside) {
      buffer_ = source_->read(offset, std::min(kWindowBytes, source_->size() - offset));
      offset_ = offset;
    }
    return buffer_.bytes().subspan(offset - offset_);
  }

  /// Gives the memory back.
  void clear() { buffer_ = {}; }

 private:
  SourcePtr source_;
  Buffer buffer_;
  std::uint64_t offset_ = 0;
};

/// Decodes one entry. One thread at a time.
class Decoder {
 public:
  Decoder(SourcePtr compressed, const Entry& entry)
      : name_(entry.name),
        bytes_(entry.bytes),
        data_offset_(entry.data_offset),
        window_(std::move(compressed)),
        waypoints_(entry.bytes, entry.compressed_bytes) {}

  void read_at(std::uint64_t offset, std::span<std::byte> out) {
    Cursor cursor = take_cursor(offset);
    skip_to(cursor, offset);
    fill(cursor, out);
    if (cursor.offset == bytes_) {
      check_end(cursor);
      window_.clear();
    } else {
      cursor_ = std::move(cursor);
    }
  }

 private:
  /// The nearest place to begin at. A read that throws leaves no cursor behind.
  Cursor take_cursor(std::uint64_t offset) {
    std::optional<Cursor> current = std::exchange(cursor_, std::nullopt);
    if (current && current->offset > offset) current.reset();
    if (!current) note_restart(offset);
    const Cursor* waypoint = waypoints_.find_before(offset);
    if (waypoint != nullptr && (!current || current->offset < waypoint->offset)) return *waypoint;
    return current ? *std::move(current) : Cursor{};
  }

  /// Waypoints cost memory, so that they are kept only for readers that jump about.
  void note_restart(std::uint64_t offset) {
    keep_waypoints_ = keep_waypoints_ || offset != 0 || ++restarts_ > kSequentialPasses;
  }

  void skip_to(Cursor& cursor, std::uint64_t offset) {
    std::vector<std::byte> scrap(std::min(kWindowBytes, offset - cursor.offset));
    while (cursor.offset < offset) {
      fill(cursor, std::span(scrap).first(std::min<std::uint64_t>(scrap.size(), offset - cursor.offset)));
    }
  }

  void fill(Cursor& cursor, std::span<std::byte> out) {
    while (!out.empty()) {
      const InflateStep step = advance(cursor, out.first(std::min<std::size_t>(out.size(), kMinSpan)));
      out = out.subspan(step.produced);
      if (step.ended && cursor.offset < bytes_) {
        throw damaged(cursor, fmt::format("the deflated data gives {} bytes, the directory says {}",
                                          cursor.offset, bytes_));
      }
      if (keep_waypoints_) waypoints_.consider(cursor);
    }
  }

  InflateStep advance(Cursor& cursor, std::span<std::byte> out) {
    const auto in = window_.from(cursor.compressed_offset);
    const InflateStep step = cursor.inflater.step(in, out);
    cursor.compressed_offset += step.consumed;
    cursor.offset += step.produced;
    if (!step.damage.empty()) throw damaged(cursor, fmt::format("cannot inflate: {}", step.damage));
    if (in.empty() && step.produced == 0 && !step.ended) {
      throw damaged(cursor, fmt::format("the deflated data is cut off after giving {} of {} bytes",
                                        cursor.offset, bytes_));
    }
    return step;
  }

  /// The stream must say itself that it ends here, with the last compressed byte.
  void check_end(Cursor& cursor) {
    std::array<std::byte, 1> surplus{};
    for (InflateStep step; !step.ended;) {
      step = advance(cursor, surplus);
      if (step.produced == 0) continue;
      throw damaged(cursor,
                    fmt::format("the deflated data gives more than the {} bytes of the directory", bytes_));
    }
    if (cursor.compressed_offset == window_.size()) return;
    throw damaged(cursor, fmt::format("the deflated data ends after {} of {} compressed bytes",
                                      cursor.compressed_offset, window_.size()));
  }

  [[nodiscard]] Error damaged(const Cursor& cursor, std::string_view what) const {
    return entry_failure(ErrorCode::MalformedArchive, name_, what, data_offset_ + cursor.compressed_offset);
  }

  std::string name_;
  std::uint64_t bytes_;
  std::uint64_t data_offset_;
  CompressedWindow window_;
  Waypoints waypoints_;
  std::optional<Cursor> cursor_;
  int restarts_ = 0;
  bool keep_waypoints_ = false;
};

class InflatedSource final : public ByteSource {
 public:
  InflatedSource(SourcePtr compressed, const Entry& entry)
      : bytes_(entry.bytes), decoder_(std::move(compressed), entry) {}

  std::uint64_t size() const override { return bytes_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    if (out.empty() && bytes_ != 0) return;  // of an empty entry, the stream's end is still checked
    const std::lock_guard lock(mutex_);
    decoder_.read_at(offset, out);
  }

 private:
  std::uint64_t bytes_;
  mutable std::mutex mutex_;
  mutable Decoder decoder_;
};

}  // namespace

SourcePtr inflated_source(SourcePtr compressed, const Entry& entry) {
  return std::make_shared<InflatedSource>(std::move(compressed), entry);
}

}  // namespace weighbridge::zip
