#include "sandbox/layers.hpp"

#include <cstring>

#include <fmt/format.h>

namespace weighbridge::sandbox {

std::string_view layer_name(Layer layer) noexcept {
  switch (layer) {
    case Layer::Descriptors:
      return "descriptors";
    case Layer::Environment:
      return "environment";
    case Layer::Limits:
      return "limits";
    case Layer::Namespaces:
      return "namespaces";
    case Layer::Root:
      return "root";
    case Layer::Leash:
      return "leash";
    case Layer::Undumpable:
      return "undumpable";
    case Layer::Capabilities:
      return "capabilities";
    case Layer::NoNewPrivileges:
      return "no-new-privileges";
    case Layer::Landlock:
      return "landlock";
    case Layer::SystemCalls:
      return "system-calls";
  }
  return "unknown";
}

Outcome Outcome::failed(std::string_view action, int errno_value) {
  return {.held = false, .detail = fmt::format("{}: {}", action, std::strerror(errno_value))};
}

}  // namespace weighbridge::sandbox
