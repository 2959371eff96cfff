// numpy arrays among the values of a document: which of them are tensors, and what the others are.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/census.hpp"
#include "formats/torch/document.hpp"
#include "formats/torch/parts.hpp"

namespace weighbridge::torch {

/// The array or scalar of that node; null when it is none, or one that cannot be read.
const numpy::Array* find_array(const Document& document, pickle::NodeId node) noexcept;

/// Whether the node is an array of numbers, or a broken one. A scalar is a tensor only where it is all
/// that the file holds. Arrays of text or objects and those of types that are not known are none.
bool is_array_tensor(const Document& document, pickle::NodeId node) noexcept;

/// As rebuild_tensors(). REQUIRES: is_array_tensor(document, node).
std::vector<TensorEntry> rebuild_array(const Document& document, pickle::NodeId node, const std::string& name,
                                       const OpenOptions& options);

/// The elements of an array of objects in row-major order; empty for every other array.
std::vector<Part> array_parts(const Document& document, const numpy::Array& array);

/// Whether the document has tensors of torch's own, in use or not.
bool holds_torch_tensors(const Document& document);

/// Adds the findings "ArrayExtraction", when arrays were taken from objects that are no state dict, and
/// "ArraysNotTaken", for arrays that are none of numbers. Throws Unsupported, naming one of
/// these, when there is no tensor at all.
void report_arrays(const Document& document, const Census& census, const OpenOptions& options,
                   Findings& findings);

}  // namespace weighbridge::torch
