// From a strided tensor to what stands in the output: one tensor, or the two parts of a complex one.
#pragma once

#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/operand.hpp"

namespace weighbridge::torch {

/// The tensors of the output, under `subject.name`. Signs that conj and neg leave open are settled,
/// complex numbers are split when the options ask for it, complex32 becomes C64 exactly.
/// Throws Unsupported for complex128 that is not split.
std::vector<TensorEntry> entries_of(const Subject& subject, Operand operand);

/// The same elements with their signs settled. REQUIRES: a type that has signs, or no flag.
Operand resolved(const Subject& subject, Operand operand);

/// The output tensor `name` over a computed source.
TensorEntry computed_entry(std::string name, DType dtype, Shape shape, SourcePtr source);

/// Whether the elements are pairs of a real and an imaginary part.
bool is_complex(const ElementType& type) noexcept;

}  // namespace weighbridge::torch
