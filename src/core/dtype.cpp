#include <weighbridge/dtype.hpp>

namespace weighbridge {

std::optional<DType> find_dtype(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kDTypeCount; ++i) {
    if (detail::kDTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

}  // namespace weighbridge
