// TensorFlow's element types.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <weighbridge/dtype.hpp>

namespace weighbridge::tensorflow {

inline constexpr std::uint64_t kStringType = 7;

/// The dtype of the same bytes; nothing for strings, handles, complex128 and what is smaller than a byte.
[[nodiscard]] std::optional<DType> find_dtype(std::uint64_t type) noexcept;

/// "DT_STRING" and so on; "type 99" has no name.
[[nodiscard]] std::string_view type_name(std::uint64_t type) noexcept;

}  // namespace weighbridge::tensorflow
