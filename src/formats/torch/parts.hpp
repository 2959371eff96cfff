// What a value contains, seen in one way whatever made it: containers, instances of unknown
// classes, modules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

enum class Role : std::uint8_t {
  Item,       ///< Element of a list, tuple or set; `index` is its position.
  Entry,      ///< Value of a dict under `key`.
  Attribute,  ///< Value of an instance's state under `key`.
  Argument,   ///< Given to a call or constructor; `index` is its position.
  Keyword,    ///< The same under `key`.
  State,      ///< Element of a state that is a tuple or list, or the state itself if it is another value.
};

struct Part {
  Role role = Role::Item;
  pickle::NodeId key = pickle::kNoNode;
  std::uint64_t index = 0;
  pickle::NodeId value = pickle::kNoNode;
};

/// Everything inside a value, in file order; empty for scalars. Of equal keys of a dict the last
/// value counts, in the place of the first, as in Python. A tensor has its attributes only.
std::vector<Part> parts_of(const Document& document, pickle::NodeId node);

/// Where tensors are looked for: parts_of(), but a module has what its state_dict() would have,
/// and the attributes that were put on a dict, list or tensor do not count.
std::vector<Part> tensor_parts(const Document& document, pickle::NodeId node);

/// An instance whose state has `_parameters` and `_modules`, as every torch.nn.Module.
bool is_module(const pickle::Graph& graph, pickle::NodeId node);

/// The part's contribution to a dotted path: "0", "weight", "$args.0". Nothing for a key
/// that has no text. Sets `escaped` when the text had to be escaped.
std::optional<std::string> find_segment(const pickle::Graph& graph, const Part& part, bool& escaped);

}  // namespace weighbridge::torch
