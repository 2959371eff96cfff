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

/// What dtype and shape say.
struct Layout {
  Layout() = default;
  Layout(std::uint64_t its_bytes, const TensorRecord& tensor) noexcept
      : bytes(its_bytes), dims_at(tensor.dims_at), rank(tensor.rank), dtype(tensor.dtype) {}

  std::uint64_t bytes = 0;
  std::uint32_t dims_at = 0;  ///< In Header::Data::dims, for all tensors of this layout.
  std::uint32_t rank : 24 = 0;
  DType dtype : 8 = DType::F32;
};

class KnownLayouts {
 public:
  struct Found {
    const Layout* layout = nullptr;  ///< Null when there is none.
    std::size_t length = 0;          ///< Of its text, up to and with the ']'.
  };

  /// `at`: where the dtype's quote stands. REQUIRES: 32 characters at `at`, and one in front of it.
  [[nodiscard]] Found find(const char* at) const noexcept {
    const Window window(at);
    if (!window.fits()) return {};
    // Which of the two it is cannot be guessed, so no branch may depend on it.
    const Set& set = sets_[window.set()];
    const Known& known = set[std::size_t{!window.begins_with(set[0].text.data())}];
    if (!window.begins_with(known.text.data())) return {};
    return {&known.layout, window.length()};
  }

  /// Keeps the layout that is written at `at`, unless its text is too long, in place of the older one of
  /// two. REQUIRES: as for find.
  void keep(const char* at, const Layout& layout) noexcept {
    const Window window(at);
    if (!window.fits()) return;
    Set& set = sets_[window.set()];
    set[1] = set[0];
    std::memcpy(set[0].text.data(), at, window.length());
    set[0].layout = layout;
  }

 private:
  static constexpr unsigned kSetBits = 7;

  // 32 characters, of which those up to the first ']' matter.
  class Window {
   public:
    explicit Window(const char* at) noexcept : at_(at), first_(at), second_(at + Bytes16::kSize) {
      ends_ = first_.equal_to(']') | second_.equal_to(']') << Bytes16::kSize;
    }

    /// Whether there is one, behind as many characters as a layout has at least.
    [[nodiscard]] bool fits() const noexcept { return last() - kLeastLast < 2 * Bytes16::kSize - kLeastLast; }
    [[nodiscard]] std::size_t length() const noexcept { return last() + 1; }

    [[nodiscard]] bool begins_with(const char* text) const noexcept {
      const std::uint32_t same =
          first_.same_as(Bytes16(text)) | second_.same_as(Bytes16(text + Bytes16::kSize)) << Bytes16::kSize;
      const std::uint32_t needed = ends_ ^ (ends_ - 1);  // the bits up to the lowest one
      return (needed & ~same) == 0;
    }

    /// Of the dtype and of what stands in front of the ']': where layouts differ.
    [[nodiscard]] std::size_t set() const noexcept {
      const std::uint64_t mixed = load_le<std::uint64_t>(at_) * 0x9E3779B97F4A7C15 +
                                  load_le<std::uint64_t>(at_ + last() - 7) * 0xC2B2AE3D27D4EB4F +
                                  load_le<std::uint64_t>(at_ + last() - 15) * 0x165667B19E3779F9;
      return mixed >> (64 - kSetBits);
    }

   private:
    static constexpr std::size_t kLeastLast = std::string_view(R"("U8","shape":[)").size();

    [[nodiscard]] std::size_t last() const noexcept {
      return static_cast<std::size_t>(std::countr_zero(ends_));
    }

    const char* at_;
    Bytes16 first_;
    Bytes16 second_;
    std::uint32_t ends_ = 0;
  };

  struct Known {
    std::array<char, 2 * Bytes16::kSize> text = {};  // the NUL in front is in no header
    Layout layout;
  };
  using Set = std::array<Known, 2>;

  std::array<Set, std::size_t{1} << kSetBits> sets_ = {};
};

}  // namespace weighbridge
