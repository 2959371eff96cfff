// Where C++ exceptions become C statuses. Nothing may leave a C function as an exception.
#pragma once

#include <string_view>
#include <utility>

#include <weighbridge/error.hpp>
#include <weighbridge/weighbridge.h>

namespace weighbridge::capi {

/// Translates the exception in flight; fills *error when it is asked for.
wb_status report_exception(wb_error** error) noexcept;

/// Runs `action`, which throws on failure.
template <typename Action>
wb_status guard(wb_error** error, Action&& action) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    std::forward<Action>(action)();
    return WB_OK;
  } catch (...) {
    return report_exception(error);
  }
}

inline wb_str to_c(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline std::string_view from_c(wb_str text) noexcept { return {text.data, text.size}; }

}  // namespace weighbridge::capi
