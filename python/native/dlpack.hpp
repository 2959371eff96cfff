// The binary interface of DLPack, as every framework knows it.
#pragma once

#include <cstdint>
#include <span>

#include "module.hpp"

namespace weighbridge::python {

struct DlpackDevice {
  std::int32_t type = 1;  // the CPU's memory
  std::int32_t id = 0;
};

struct DlpackType {
  std::uint8_t code = 0;
  std::uint8_t bits = 0;
  std::uint16_t lanes = 1;
};

struct DlpackTensor {
  void* data = nullptr;
  DlpackDevice device = {};
  std::int32_t rank = 0;
  DlpackType type = {};
  std::int64_t* shape = nullptr;
  std::int64_t* strides = nullptr;  // null: row-major and contiguous
  std::uint64_t byte_offset = 0;
};

/// What a capsule that nobody took points to.
struct ManagedDlpack {
  DlpackTensor tensor = {};
  void* context = nullptr;
  void (*release)(ManagedDlpack*) = nullptr;
};

inline constexpr const char* kFreshCapsule = "dltensor";

/// The memory of a contiguous tensor of the CPU, which its capsule keeps alive as long as nobody takes it.
/// Throws ValueError for anything else.
std::span<std::byte> dlpack_bytes(nb::handle capsule);

}  // namespace weighbridge::python
