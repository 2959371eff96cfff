#include "formats/sharded/content.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include <weighbridge/write.hpp>

namespace weighbridge::sharded {
namespace {

constexpr std::uint64_t kPieceBytes = 256 * 1024;  // a multiple of every element
constexpr std::uint64_t kSampleBytes = 64;

/// The bytes of a tensor as they go out, in pieces.
class Content {
 public:
  explicit Content(const TensorEntry& entry) : entry_(entry), runs_(tensor_runs(entry)) {}

  std::uint64_t size() const { return runs_.total_bytes; }

  void read(std::uint64_t from, std::span<std::byte> out) const {
    read_runs(*entry_.data.source, runs_, entry_.data.transform, from, out);
  }

 private:
  const TensorEntry& entry_;
  ByteRuns runs_;
};

std::uint64_t element_bytes(const TensorEntry& entry) {
  return std::max<std::uint64_t>(bit_width(entry.spec.dtype) / 8, 1);
}

}  // namespace

bool is_equal(const TensorEntry& one, const TensorEntry& other) {
  if (one.spec.dtype != other.spec.dtype || one.spec.shape != other.spec.shape) return false;
  if (one.data == other.data) return true;
  const Content left(one);
  const Content right(other);
  std::vector<std::byte> a(std::min(kPieceBytes, left.size()));
  std::vector<std::byte> b(a.size());
  for (std::uint64_t at = 0; at < left.size(); at += a.size()) {
    const std::uint64_t bytes = std::min<std::uint64_t>(a.size(), left.size() - at);
    left.read(at, std::span(a).first(bytes));
    right.read(at, std::span(b).first(bytes));
    if (std::memcmp(a.data(), b.data(), bytes) != 0) return false;
  }
  return true;
}

std::string sample(const TensorEntry& entry) {
  const Content content(entry);
  const std::uint64_t size = content.size();
  const std::uint64_t bytes = std::min(size, kSampleBytes);
  std::string out;
  for (const std::uint64_t from : {std::uint64_t{0}, size / 2, size - bytes}) {
    const std::uint64_t at = std::min(from, size - bytes) / 8 * 8;
    std::string piece(std::min(bytes, size - at) / 8 * 8, '\0');
    content.read(at, std::as_writable_bytes(std::span(piece)));
    out += piece;
  }
  return out;
}

bool is_uniform(const TensorEntry& entry) {
  const Content content(entry);
  const std::uint64_t width = element_bytes(entry);
  std::vector<std::byte> piece(std::min(kPieceBytes, content.size()));
  std::vector<std::byte> first;
  for (std::uint64_t at = 0; at < content.size(); at += piece.size()) {
    const auto bytes = std::span(piece).first(std::min<std::uint64_t>(piece.size(), content.size() - at));
    content.read(at, bytes);
    if (first.empty()) first.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(width));
    if (std::memcmp(bytes.data(), first.data(), width) != 0) return false;
    if (std::memcmp(bytes.data(), bytes.data() + width, bytes.size() - width) != 0) return false;
  }
  return true;
}

}  // namespace weighbridge::sharded
