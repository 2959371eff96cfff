#include "convert/cast.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include <weighbridge/write.hpp>

#include "core/floats.hpp"
#include "formats/computed_source.hpp"

namespace weighbridge {
namespace {

constexpr std::uint64_t kPiece = 32 * 1024;  ///< Elements: what a core's own cache holds.

/// F4 has two elements a byte, which are made together.
std::uint64_t unit_elements(DType dtype) { return dtype == DType::F4 ? 2 : 1; }

class CastSource final : public ComputedSource {
 public:
  CastSource(const TensorEntry& tensor, DType to, std::uint64_t elements)
      : ComputedSource(elements * (bit_width(to) / 8),
                       unit_elements(tensor.spec.dtype) * (bit_width(to) / 8)),
        source_(tensor.data.source),
        runs_(tensor_runs(tensor)),
        transform_(tensor.data.transform),
        from_(tensor.spec.dtype),
        to_(to),
        elements_(elements) {}

  /// No bytes can be had without computing them, at any place for the same price.
  [[nodiscard]] std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override {
    check_range(offset, length);
    return length == 0 ? std::optional(Buffer{}) : std::nullopt;
  }

  [[nodiscard]] std::uint64_t count_overflows() const {
    if (!overflowed_) return 0;
    std::uint64_t count = 0;
    std::vector<std::byte> scrap(kPiece * (bit_width(to_) / 8));
    for (std::uint64_t first = 0; first < elements_; first += kPiece) {
      const std::uint64_t here = std::min(kPiece, elements_ - first);
      count += cast(first, std::span(scrap).first(here * (bit_width(to_) / 8)));
    }
    return count;
  }

 private:
  void make(std::uint64_t first, std::span<std::byte> out) const override {
    const std::uint64_t bytes = kPiece * (bit_width(to_) / 8);
    std::uint64_t too_large = 0;
    first *= unit_elements(from_);
    for (; !out.empty(); first += kPiece) {
      const auto piece = out.first(std::min<std::uint64_t>(bytes, out.size()));
      too_large += cast(first, piece);
      out = out.subspan(piece.size());
    }
    if (too_large > 0) overflowed_ = true;
  }

  std::uint64_t cast(std::uint64_t first, std::span<std::byte> out) const {
    const std::uint64_t elements = out.size() / (bit_width(to_) / 8);
    const std::uint64_t from_bits = bit_width(from_);
    std::vector<std::byte> in(elements * from_bits / 8);
    read_runs(*source_, runs_, transform_, first * from_bits / 8, in);
    return cast_floats(from_, in, to_, out);
  }

  SourcePtr source_;
  ByteRuns runs_;
  Transform transform_;
  DType from_;
  DType to_;
  std::uint64_t elements_;
  mutable std::atomic<bool> overflowed_ = false;
};

}  // namespace

SourcePtr cast_source(const TensorEntry& tensor, DType to) {
  TensorSpec spec = tensor.spec;
  spec.dtype = to;
  static_cast<void>(byte_size(to, spec.shape));  // the new size, which may not fit 64 bits
  return std::make_shared<CastSource>(tensor, to, element_count(spec.shape));
}

std::uint64_t count_cast_overflows(const ByteSource& source) {
  const auto* cast = dynamic_cast<const CastSource*>(&source);
  return cast == nullptr ? 0 : cast->count_overflows();
}

}  // namespace weighbridge
