// The header of tensors that are described where they lie: serialize_header without a copy of its input.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <weighbridge/header.hpp>

namespace weighbridge {

/// A TensorSpec that belongs to somebody else.
struct SpecView {
  std::string_view name = {};
  DType dtype = DType::F32;
  std::span<const std::uint64_t> shape = {};
};

/// As serialize_header, and throws the same.
SerializedHeader serialize_specs(std::span<const SpecView> specs, const std::optional<Metadata>& metadata,
                                 const HeaderStyle& style);

}  // namespace weighbridge
