// The tree of a sidecar as a pickle.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "formats/json/document.hpp"
#include "formats/pickle/writer.hpp"
#include "formats/restore/tensors.hpp"

namespace weighbridge::restore {

/// Objects that could not be written: how often each name occurred.
using Refused = std::map<std::string, std::uint64_t>;

/// Appends the value of `node`, with None in the place of what is no plain value, container or
/// tensor. No recursion. Throws MalformedCheckpoint for tags that make no sense.
Refused write_tree(pickle::Writer& out, const json::Document& sidecar, json::Node node, Shelf& shelf);

}  // namespace weighbridge::restore
