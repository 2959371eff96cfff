#include "formats/onnx/sparse_source.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"

namespace weighbridge::onnx {
namespace {

constexpr std::uint64_t kPieceBytes = 64 * 1024;

class SparseSource final : public ByteSource {
 public:
  explicit SparseSource(SparseParts parts)
      : parts_(std::move(parts)), elements_(element_count(parts_.shape)) {}

  std::uint64_t size() const override { return elements_ * parts_.element_bytes; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    std::ranges::fill(out, std::byte{0});
    const std::vector<std::uint64_t>& positions = get_positions();
    const std::uint64_t end = offset + out.size();
    auto at = std::ranges::lower_bound(positions, offset / parts_.element_bytes);
    std::vector<std::byte> values;
    std::uint64_t first = 0;
    for (; at != positions.end() && *at * parts_.element_bytes < end; ++at) {
      const auto entry = static_cast<std::uint64_t>(at - positions.begin());
      if (values.empty() || entry >= first + values.size() / parts_.element_bytes) {
        first = entry;
        read_values(entry, values);
      }
      put(*at * parts_.element_bytes,
          std::span(values).subspan((entry - first) * parts_.element_bytes, parts_.element_bytes), offset,
          out);
    }
  }

 private:
  /// The part of an element at byte `place` that lies in `out`, which begins at `offset`.
  static void put(std::uint64_t place, std::span<const std::byte> element, std::uint64_t offset,
                  std::span<std::byte> out) {
    const std::uint64_t begin = std::max(place, offset);
    const std::uint64_t end = std::min(place + element.size(), offset + out.size());
    std::copy_n(element.begin() + static_cast<std::ptrdiff_t>(begin - place), end - begin,
                out.begin() + static_cast<std::ptrdiff_t>(begin - offset));
  }

  void read_values(std::uint64_t entry, std::vector<std::byte>& values) const {
    const std::uint64_t most = std::max<std::uint64_t>(kPieceBytes / parts_.element_bytes, 1);
    values.resize(std::min(most, parts_.count - entry) * parts_.element_bytes);
    parts_.values->read_at(parts_.values_at + entry * parts_.element_bytes, values);
  }

  const std::vector<std::uint64_t>& get_positions() const {
    const std::lock_guard lock(mutex_);
    if (!positions_) positions_ = load();
    return *positions_;
  }

  std::vector<std::uint64_t> load() const {
    const std::uint64_t row_bytes = (parts_.linear ? 1 : parts_.shape.size()) * sizeof(std::int64_t);
    const std::uint64_t rows_a_piece = std::max<std::uint64_t>(kPieceBytes / row_bytes, 1);
    std::vector<std::uint64_t> positions;
    positions.reserve(parts_.count);
    std::vector<std::byte> rows;
    for (std::uint64_t first = 0; first < parts_.count; first += rows_a_piece) {
      rows.resize(std::min(rows_a_piece, parts_.count - first) * row_bytes);
      parts_.indices->read_at(parts_.indices_at + first * row_bytes, rows);
      for (std::uint64_t at = 0; at < rows.size(); at += row_bytes) {
        const std::uint64_t entry = positions.size();
        const std::uint64_t position = position_of(std::span(rows).subspan(at, row_bytes), entry);
        if (entry > 0 && position <= positions.back()) refuse(entry, "does not follow the one before it");
        positions.push_back(position);
      }
    }
    return positions;
  }

  std::uint64_t position_of(std::span<const std::byte> row, std::uint64_t entry) const {
    if (parts_.linear) {
      const auto position = load_le<std::uint64_t>(row.data());
      if (position >= elements_) refuse(entry, "is outside the shape");
      return position;
    }
    std::uint64_t position = 0;
    for (std::size_t axis = 0; axis < parts_.shape.size(); ++axis) {
      const auto index = load_le<std::uint64_t>(row.data() + axis * sizeof(std::int64_t));
      if (index >= parts_.shape[axis]) refuse(entry, "is outside the shape");
      position = position * parts_.shape[axis] + index;
    }
    return position;
  }

  [[noreturn]] void refuse(std::uint64_t entry, std::string_view why) const {
    throw Error(
        ErrorCode::MalformedCheckpoint,
        fmt::format("tensor '{}': index {} of its sparse values {}", printable(parts_.name), entry, why),
        parts_.name);
  }

  SparseParts parts_;
  std::uint64_t elements_;
  mutable std::mutex mutex_;
  mutable std::optional<std::vector<std::uint64_t>> positions_;
};

}  // namespace

SourcePtr sparse_source(SparseParts parts) { return std::make_shared<SparseSource>(std::move(parts)); }

}  // namespace weighbridge::onnx
