// The layers of the sandbox: what a worker gives up, one thing after the other.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <weighbridge/worker.hpp>

namespace weighbridge::sandbox {

/// In the order of their application: each may need rights that a later one takes away.
enum class Layer : std::uint8_t {
  Descriptors,      ///< No open file but its own.
  Environment,      ///< No variable, not even their text in memory.
  Limits,           ///< Memory, processor time, size of files, number of descriptors.
  Namespaces,       ///< A user, network, IPC and host name of its own.
  Root,             ///< No path leads to any file.
  Leash,            ///< It ends when the broker does, whatever ends that.
  Undumpable,       ///< No other process of this user can look into it.
  Capabilities,     ///< None, not even in its own namespaces.
  NoNewPrivileges,  ///< No program can give it more. The next two need this one.
  Landlock,         ///< The kernel's own refusal of every path, port and signal.
  SystemCalls,      ///< Only those that reading and writing open files take.
};

inline constexpr std::array kAllLayers = {Layer::Descriptors, Layer::Environment,  Layer::Limits,
                                          Layer::Namespaces,  Layer::Root,         Layer::Leash,
                                          Layer::Undumpable,  Layer::Capabilities, Layer::NoNewPrivileges,
                                          Layer::Landlock,    Layer::SystemCalls};

std::string_view layer_name(Layer layer) noexcept;

/// Some of the layers.
class LayerSet {
 public:
  constexpr LayerSet() = default;
  constexpr LayerSet(std::initializer_list<Layer> layers) {
    for (const Layer layer : layers) bits_ |= bit(layer);
  }
  static constexpr LayerSet all() {
    LayerSet set;
    for (const Layer layer : kAllLayers) set.bits_ |= bit(layer);
    return set;
  }
  [[nodiscard]] constexpr bool has(Layer layer) const { return (bits_ & bit(layer)) != 0; }

 private:
  static constexpr std::uint32_t bit(Layer layer) { return std::uint32_t{1} << static_cast<unsigned>(layer); }
  std::uint32_t bits_ = 0;
};

/// What came of applying one layer.
struct Outcome {
  bool held = false;
  std::string detail;

  static Outcome yes(std::string detail) { return {.held = true, .detail = std::move(detail)}; }
  /// Not held; `action` is what errno is about.
  static Outcome failed(std::string_view action, int errno_value);
};

}  // namespace weighbridge::sandbox
