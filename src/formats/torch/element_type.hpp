// torch's element types and what each becomes in a safetensors file.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/dtype.hpp>

namespace weighbridge::torch {

struct ElementType {
  std::string_view name;       ///< torch's own name, e.g. "float32".
  std::uint8_t bytes;          ///< Of one element in a storage.
  std::uint8_t component;      ///< Bytes that change order together in a big-endian file.
  std::optional<DType> dtype;  ///< Of the stored bytes. None: complex32 and complex128 have no dtype.
};

/// The type that torch.<name> stands for, aliases included; null when it is none.
const ElementType* find_element_type(std::string_view name) noexcept;

/// The type of the elements of a storage class, e.g. "FloatStorage"; bytes for the untyped ones.
const ElementType* find_storage_type(std::string_view class_name) noexcept;

/// Whether safetensors has a dtype for this type and no other.
bool has_own_dtype(const ElementType& type) noexcept;

/// What turns the stored bytes of a tensor of this type into those of a safetensors file.
Transform transform_of(const ElementType& type, bool big_endian) noexcept;

}  // namespace weighbridge::torch
