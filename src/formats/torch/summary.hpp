// One line that says what a value is.
#pragma once

#include <string>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// E.g. "int 3", "str 'adam'", "bytes of 12", "dict of 4", "torch.device('cuda:0')",
/// "object argparse.Namespace". At most about a hundred characters, safe to print.
std::string summarize(const Document& document, pickle::NodeId node);

/// A value that is shown as one although it was pickled with parts: torch.Size, numpy arrays, ...
bool is_single_value(const pickle::Graph& graph, pickle::NodeId node);

}  // namespace weighbridge::torch
