// Dtypes with their shapes that an earlier entry had, found again by their text.
//
//   "BF16","shape":[4096,4096]
//
// Headers have many tensors and few kinds of them. What stood there before needs not be read, and its
// bytes not be counted, a second time. The text is always compared whole: what is found is what
// reading it would give.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/endian.hpp"
#include "core/header_bytes.hpp"
#include "core/header_data.hpp"

namespace weighbridge {

/// What dtype and shape say. Tensors of one layout share its dimensions.
struct Layout : TensorType {
  std::uint64_t bytes = 0;
};

/// 32 characters of a header, of which those up to a ']' say a dtype and a shape if they are a layout.
class LayoutText {
 public:
  static constexpr std::size_t kMostBytes = 2 * Bytes16::kSize;

  /// `start`: where the dtype's quote stands. REQUIRES: 32 characters there, and one in front of it.
  explicit LayoutText(const char* start) noexcept : start_(start) {
    ends_ = second_half().equal_to(']') << Bytes16::kSize;
    // Few end earlier. A known one that does is followed by `,"data_offsets":[`, so that no second ']' stands
    // in its 32 characters: text that has one in both halves is never taken for it.
    if (ends_ == 0) ends_ = first_half().equal_to(']');
  }

  /// Whether there is a ']', behind as many characters as a layout has at least.
  [[nodiscard]] bool fits() const noexcept { return last() - kLeastLast < kMostBytes - kLeastLast; }
  /// With the ']'. REQUIRES: fits().
  [[nodiscard]] std::size_t size() const noexcept { return last() + 1; }
  [[nodiscard]] const char* start() const noexcept { return start_; }
  [[nodiscard]] const char* end() const noexcept { return start_ + size(); }

  /// Whether all of it stands at `text` too. REQUIRES: fits(), and 32 characters at `text`.
  [[nodiscard]] bool stands_at(const char* text) const noexcept {
    const std::uint32_t same = first_half().same_as(Bytes16(text)) |
                               second_half().same_as(Bytes16(text + Bytes16::kSize)) << Bytes16::kSize;
    const std::uint32_t needed = ends_ ^ (ends_ - 1);  // the bits up to the lowest one
    return (needed & ~same) == 0;
  }

  /// Of the dtype and of what stands in front of the ']': where layouts differ. REQUIRES: fits().
  [[nodiscard]] std::uint64_t hash() const noexcept {
    return load_le<std::uint64_t>(start_) * 0x9E3779B97F4A7C15 +
           load_le<std::uint64_t>(start_ + last() - 7) * 0xC2B2AE3D27D4EB4F +
           load_le<std::uint64_t>(start_ + last() - 15) * 0x165667B19E3779F9;
  }

 private:
  static constexpr std::size_t kLeastLast = std::string_view(R"("U8","shape":[)").size();

  [[nodiscard]] Bytes16 first_half() const noexcept { return Bytes16(start_); }
  [[nodiscard]] Bytes16 second_half() const noexcept { return Bytes16(start_ + Bytes16::kSize); }
  [[nodiscard]] std::size_t last() const noexcept {
    return static_cast<std::size_t>(std::countr_zero(ends_));
  }

  const char* start_;
  std::uint32_t ends_ = 0;
};

class KnownLayouts {
 public:
  /// Null when it is not known.
  [[nodiscard]] const Layout* find(const LayoutText& text) const noexcept {
    if (!text.fits()) return nullptr;
    const std::size_t place = place_of(text);
    for (std::size_t i = 0; i < 2; ++i) {
      if (text.stands_at(texts_[place][i].data())) return &layouts_[place][i];
    }
    return nullptr;
  }

  /// Keeps the layout that is written there, unless its text is too long, in place of the older one of two.
  void keep(const LayoutText& text, const Layout& layout) noexcept {
    if (!text.fits()) return;
    const std::size_t place = place_of(text);
    texts_[place][1] = texts_[place][0];
    layouts_[place][1] = layouts_[place][0];
    std::memcpy(texts_[place][0].data(), text.start(), LayoutText::kMostBytes);
    layouts_[place][0] = layout;
  }

 private:
  static constexpr unsigned kPlaceBits = 7;
  static constexpr std::size_t kPlaces = std::size_t{1} << kPlaceBits;

  static std::size_t place_of(const LayoutText& text) noexcept { return text.hash() >> (64 - kPlaceBits); }

  template <typename T>
  using Pairs = std::array<std::array<T, 2>, kPlaces>;

  Pairs<std::array<char, LayoutText::kMostBytes>> texts_ = {};  // the NUL in front is in no header
  Pairs<Layout> layouts_;
};

}  // namespace weighbridge
