#include "formats/compressed/decoded_source.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "formats/compressed/waypoints.hpp"

namespace weighbridge::compressed {
namespace {

constexpr std::uint64_t kWindowBytes = 64 * 1024;
constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kKept = std::uint64_t{16} << 20;
constexpr std::uint64_t kKeptWithoutCopies = std::uint64_t{256} << 20;
constexpr int kSequentialPasses = 2;  // converting and verifying need no way back

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

/// Moves cursors along a stream. One thread at a time.
class StreamReader {
 public:
  explicit StreamReader(Stream stream) : stream_(std::move(stream)), window_(stream_.data) {}

  [[nodiscard]] Cursor begin() const { return {.decoder = stream_.make_decoder()}; }
  [[nodiscard]] const std::string& noun() const noexcept { return stream_.noun; }
  [[nodiscard]] std::uint64_t compressed_bytes() const { return window_.size(); }

  /// One step, which does something or throws. REQUIRES: `out` is not empty.
  DecodeStep advance(Cursor& cursor, std::span<std::byte> out) {
    const auto in = window_.from(cursor.compressed_offset);
    const bool last = window_.size() - cursor.compressed_offset == in.size();
    const DecodeStep step = cursor.decoder->step(in, out, last);
    cursor.compressed_offset += step.consumed;
    cursor.offset += step.produced;
    check(cursor, step);
    return step;
  }

  /// The stream must end with its last compressed byte.
  void check_all_used(const Cursor& cursor) const {
    if (cursor.compressed_offset == window_.size()) return;
    throw damaged(cursor, fmt::format("the {} ends after {} of {} compressed bytes", noun(),
                                      cursor.compressed_offset, window_.size()));
  }

  [[nodiscard]] Error damaged(const Cursor& cursor, std::string_view what) const {
    return failure(cursor, ErrorCode::MalformedArchive, what);
  }

  [[nodiscard]] Error failure(const Cursor& cursor, ErrorCode code, std::string_view what) const {
    return stream_.failure(code, what, cursor.compressed_offset);
  }

  void rest() { window_.clear(); }

 private:
  void check(const Cursor& cursor, const DecodeStep& step) const {
    if (step.over_limit) {
      throw failure(cursor, ErrorCode::LimitExceeded,
                    fmt::format("decoding the {} needs more than 256 MiB of memory", noun()));
    }
    if (!step.damage.empty()) {
      throw damaged(cursor, fmt::format("cannot decode the {}: {}", noun(), step.damage));
    }
    if (step.consumed == 0 && step.produced == 0 && !step.ended) {
      throw damaged(cursor, fmt::format("the {} is cut off after giving {} bytes", noun(), cursor.offset));
    }
  }

  Stream stream_;
  CompressedWindow window_;
};

/// A stream of known length. One thread at a time.
class Content {
 public:
  Content(StreamReader reader, std::uint64_t bytes, std::optional<Waypoints> waypoints)
      : reader_(std::move(reader)), bytes_(bytes), waypoints_(std::move(waypoints)) {}

  void read_at(std::uint64_t offset, std::span<std::byte> out) {
    Cursor cursor = take_cursor(offset);
    skip_to(cursor, offset);
    fill(cursor, out);
    if (cursor.offset == bytes_) {
      check_end(cursor);
      reader_.rest();
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
    const Cursor* waypoint = waypoints_ ? waypoints_->find_before(offset) : nullptr;
    if (waypoint != nullptr && (!current || current->offset < waypoint->offset)) return waypoint->clone();
    return current ? *std::move(current) : reader_.begin();
  }

  /// Waypoints cost memory, so that they are kept only for readers that jump about.
  void note_restart(std::uint64_t offset) {
    if (!waypoints_ && (offset != 0 || ++restarts_ > kSequentialPasses)) waypoints_.emplace();
  }

  void skip_to(Cursor& cursor, std::uint64_t offset) {
    std::vector<std::byte> scrap(std::min(kWindowBytes, offset - cursor.offset));
    while (cursor.offset < offset) {
      fill(cursor, std::span(scrap).first(std::min<std::uint64_t>(scrap.size(), offset - cursor.offset)));
    }
  }

  void fill(Cursor& cursor, std::span<std::byte> out) {
    while (!out.empty()) {
      const DecodeStep step = reader_.advance(cursor, out.first(std::min<std::size_t>(out.size(), kSpan)));
      out = out.subspan(step.produced);
      if (step.ended && cursor.offset < bytes_) {
        throw reader_.damaged(
            cursor, fmt::format("the {} gives {} bytes, {} needed", reader_.noun(), cursor.offset, bytes_));
      }
      if (waypoints_) waypoints_->consider(cursor);
    }
  }

  /// The stream must say itself that it ends here.
  void check_end(Cursor& cursor) {
    std::array<std::byte, 1> surplus{};
    for (DecodeStep step; !step.ended;) {
      step = reader_.advance(cursor, surplus);
      if (step.produced == 0) continue;
      throw reader_.damaged(
          cursor, fmt::format("the {} gives more than the {} bytes needed", reader_.noun(), bytes_));
    }
    reader_.check_all_used(cursor);
  }

  StreamReader reader_;
  std::uint64_t bytes_;
  std::optional<Waypoints> waypoints_;
  std::optional<Cursor> cursor_;
  int restarts_ = 0;
};

class DecodedSource final : public ByteSource {
 public:
  DecodedSource(Content content, std::uint64_t bytes) : bytes_(bytes), content_(std::move(content)) {}

  std::uint64_t size() const override { return bytes_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    if (out.empty() && bytes_ != 0) return;  // of an empty stream, the end is still checked
    const std::lock_guard lock(mutex_);
    content_.read_at(offset, out);
  }

 private:
  std::uint64_t bytes_;
  mutable std::mutex mutex_;
  mutable Content content_;
};

/// The first pass over a stream of unknown length.
class Measurement {
 public:
  Measurement(Stream stream, std::uint64_t most) : reader_(std::move(stream)), most_(most) {}

  SourcePtr run() && {
    Cursor cursor = reader_.begin();
    const std::uint64_t kept = cursor.decoder->clone() ? kKept : kKeptWithoutCopies;
    std::vector<std::byte> piece(kPieceBytes);
    for (DecodeStep step; !step.ended;) {
      step = reader_.advance(cursor, piece);
      check_size(cursor);
      keep(std::span<const std::byte>(piece).first(step.produced), kept);
      waypoints_.consider(cursor);
    }
    reader_.check_all_used(cursor);
    reader_.rest();
    if (content_) return memory_source(Buffer::take(*std::move(content_)));
    Content content(std::move(reader_), cursor.offset, std::move(waypoints_));
    return std::make_shared<DecodedSource>(std::move(content), cursor.offset);
  }

 private:
  void check_size(const Cursor& cursor) const {
    if (cursor.offset <= most_) return;
    throw reader_.failure(cursor, ErrorCode::LimitExceeded,
                          fmt::format("{} bytes of {} give more than {} bytes, which is the limit",
                                      reader_.compressed_bytes(), reader_.noun(), most_));
  }

  void keep(std::span<const std::byte> piece, std::uint64_t most) {
    if (!content_) return;
    if (piece.size() > most - content_->size()) return content_.reset();
    content_->insert(content_->end(), piece.begin(), piece.end());
  }

  StreamReader reader_;
  std::uint64_t most_;
  Waypoints waypoints_;
  std::optional<std::vector<std::byte>> content_ = std::vector<std::byte>();
};

}  // namespace

SourcePtr decoded_source(Stream stream, std::uint64_t bytes) {
  Content content(StreamReader(std::move(stream)), bytes, std::nullopt);
  return std::make_shared<DecodedSource>(std::move(content), bytes);
}

SourcePtr measured_source(Stream stream, std::uint64_t most) {
  return Measurement(std::move(stream), most).run();
}

}  // namespace weighbridge::compressed
