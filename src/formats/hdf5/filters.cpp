#include "formats/hdf5/filters.hpp"

#include <algorithm>
#include <string_view>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/compressed/codecs.hpp"

namespace weighbridge::hdf5 {
namespace {

using Bytes = std::vector<std::byte>;
using Span = std::span<const std::byte>;

constexpr std::uint64_t kChecksumBytes = 4;
/// What deflate can do at most is 1032.
constexpr std::uint64_t kMostRatio = 1100;
constexpr std::uint64_t kRatioFloor = 64 * 1024;

[[noreturn]] void damaged(std::string_view what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("a chunk is damaged: {}", what));
}

void check_ratio(std::uint64_t stored, std::uint64_t bytes) {
  if (bytes <= kRatioFloor || bytes / kMostRatio <= stored) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("a chunk of {} stored bytes cannot hold the {} that it declares", stored, bytes));
}

Bytes inflate(Span stored, std::uint64_t bytes) {
  check_ratio(stored.size(), bytes);
  const auto decoder = compressed::make_deflate_decoder(compressed::DeflateFraming::Zlib);
  Bytes out(bytes + 1);  // a byte more, to see a stream that goes on
  std::size_t read = 0;
  std::size_t written = 0;
  while (true) {
    const auto step = decoder->step(stored.subspan(read), std::span(out).subspan(written), true);
    read += step.consumed;
    written += step.produced;
    if (!step.damage.empty()) damaged(step.damage);
    if (step.ended || written > bytes) break;
    if (step.consumed == 0 && step.produced == 0) damaged("the deflated data ends too early");
  }
  if (written != bytes) damaged(fmt::format("deflated data gives {} bytes, {} are needed", written, bytes));
  out.resize(bytes);
  return out;
}

/// liblzf's stream: literals of up to 32 bytes, and copies of up to 264 from up to 8192 bytes before.
class LzfDecoder {
 public:
  LzfDecoder(Span stored, std::uint64_t bytes) : in_(stored) { out_.reserve(bytes), most_ = bytes; }

  Bytes run() && {
    while (at_ < in_.size()) {
      const unsigned control = take();
      if (control < 32) {
        literals(control + 1);
      } else {
        copy(control);
      }
    }
    if (out_.size() != most_)
      damaged(fmt::format("lzf data gives {} bytes, {} are needed", out_.size(), most_));
    return std::move(out_);
  }

 private:
  unsigned take() {
    if (at_ >= in_.size()) damaged("the lzf data ends within a token");
    return std::to_integer<unsigned>(in_[at_++]);
  }

  void check_room(std::size_t count) const {
    if (count > most_ - out_.size()) damaged("the lzf data gives too many bytes");
  }

  void literals(std::size_t count) {
    check_room(count);
    if (count > in_.size() - at_) damaged("the lzf data ends within a token");
    out_.insert(out_.end(), in_.begin() + static_cast<std::ptrdiff_t>(at_),
                in_.begin() + static_cast<std::ptrdiff_t>(at_ + count));
    at_ += count;
  }

  void copy(unsigned control) {
    std::size_t count = control >> 5;
    if (count == 7) count += take();
    count += 2;
    const std::size_t distance = ((control & 0x1FU) << 8) + take() + 1;
    check_room(count);
    if (distance > out_.size()) damaged("the lzf data refers to bytes before its start");
    for (std::size_t i = 0; i < count; ++i) out_.push_back(out_[out_.size() - distance]);
  }

  Span in_;
  std::size_t at_ = 0;
  Bytes out_;
  std::uint64_t most_ = 0;
};

Bytes expand_lzf(Span stored, std::uint64_t bytes) {
  check_ratio(stored.size(), bytes);
  return LzfDecoder(stored, bytes).run();
}

/// Byte k of all elements stood together; what is left over stays behind them.
Bytes unshuffle(Span stored, std::uint64_t element_bytes) {
  const std::size_t width = static_cast<std::size_t>(element_bytes);
  const std::size_t count = stored.size() / width;
  Bytes out(stored.size());
  for (std::size_t k = 0; k < width; ++k) {
    const Span plane = stored.subspan(k * count, count);
    for (std::size_t i = 0; i < count; ++i) out[i * width + k] = plane[i];
  }
  const std::size_t rest = count * width;
  std::ranges::copy(stored.subspan(rest), out.begin() + static_cast<std::ptrdiff_t>(rest));
  return out;
}

Bytes strip_checksum(Bytes stored) {
  if (stored.size() < kChecksumBytes) damaged("it is too short for a checksum");
  const Span content = Span(stored).first(stored.size() - kChecksumBytes);
  const auto noted = load_le<std::uint32_t>(stored.data() + content.size());
  const std::uint32_t found = fletcher32(content);
  if (noted != found) damaged(fmt::format("its checksum is {:08x}, the file says {:08x}", found, noted));
  stored.resize(content.size());
  return stored;
}

bool compresses(Filter filter) { return filter == Filter::Deflate || filter == Filter::Lzf; }

/// Bytes between the filters: in front of filter k there are sizes[k]; 0 where compression decides.
std::vector<std::uint64_t> sizes_between(std::span<const Filter> filters, std::uint64_t bytes) {
  std::vector<std::uint64_t> sizes;
  for (const Filter filter : filters) {
    sizes.push_back(bytes);
    if (filter == Filter::Fletcher32 && bytes != 0) bytes += kChecksumBytes;
    if (compresses(filter)) {
      if (bytes == 0) throw Error(ErrorCode::Unsupported, "a chunk that was compressed twice");
      bytes = 0;
    }
  }
  return sizes;
}

}  // namespace

std::string_view filter_name(Filter filter) noexcept {
  switch (filter) {
    case Filter::Deflate:
      return "deflate";
    case Filter::Shuffle:
      return "shuffle";
    case Filter::Fletcher32:
      return "fletcher32";
    case Filter::Lzf:
      break;
  }
  return "lzf";
}

std::uint32_t fletcher32(std::span<const std::byte> bytes) noexcept {
  constexpr std::size_t kPairsBeforeFolding = 360;
  std::uint32_t one = 0;
  std::uint32_t two = 0;
  const auto fold = [](std::uint32_t sum) { return (sum & 0xFFFFU) + (sum >> 16); };
  std::size_t at = 0;
  while (at + 1 < bytes.size()) {
    const std::size_t pairs = std::min(kPairsBeforeFolding, (bytes.size() - at) / 2);
    for (std::size_t i = 0; i < pairs; ++i, at += 2) {
      one += load_be<std::uint16_t>(&bytes[at]);
      two += one;
    }
    one = fold(one);
    two = fold(two);
  }
  if (at < bytes.size()) {
    one += std::to_integer<std::uint32_t>(bytes[at]) << 8;
    two += one;
    one = fold(one);
    two = fold(two);
  }
  return fold(two) << 16 | fold(one);
}

std::vector<std::byte> undo_filters(std::vector<std::byte> stored, std::span<const Filter> filters,
                                    std::uint32_t skipped, std::uint64_t element_bytes, std::uint64_t bytes) {
  std::vector<Filter> applied;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (i >= 32 || (skipped >> i & 1U) == 0) applied.push_back(filters[i]);
  }
  const std::vector<std::uint64_t> sizes = sizes_between(applied, bytes);
  for (std::size_t i = applied.size(); i-- > 0;) {
    switch (applied[i]) {
      case Filter::Deflate:
        stored = inflate(stored, sizes[i]);
        break;
      case Filter::Lzf:
        stored = expand_lzf(stored, sizes[i]);
        break;
      case Filter::Shuffle:
        if (element_bytes > 1) stored = unshuffle(stored, element_bytes);
        break;
      case Filter::Fletcher32:
        stored = strip_checksum(std::move(stored));
        break;
    }
  }
  if (stored.size() != bytes) damaged(fmt::format("it has {} bytes, {} are needed", stored.size(), bytes));
  return stored;
}

}  // namespace weighbridge::hdf5
