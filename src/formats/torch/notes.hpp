// What is said about tensors before they are rebuilt.
#pragma once

#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"
#include "formats/torch/tree.hpp"

namespace weighbridge::torch {

/// Removes the tensors without data when options.skip_meta says so, with one finding "MetaTensors".
/// Otherwise throws Unsupported naming all of them (the first hundred, and how many more).
void leave_out_meta(const Document& document, std::vector<NamedTensor>& tensors, const OpenOptions& options,
                    Findings& findings);

/// Notes on tensors that come out in a form that a reader of the output has to know about:
/// "RawIntegers" for integers of less than a byte and bits types, "OddScale" for a quantised tensor
/// whose scale is not a positive number.
void report_tensors(const Document& document, const std::vector<NamedTensor>& tensors, const Limits& limits,
                    Findings& findings);

}  // namespace weighbridge::torch
