// Names to tensors: a hash table that is at most half full.
//
// A slot is 32 bits: in the low ones the tensor's position plus one, 0 when it is free; in those above, as
// many as there are, the low bits of the name's hash. A name is looked for from the slot that its hash, as
// a fraction of all hashes, points at, up to the first free one. Names are compared only where those bits
// agree. The hash has a key that nobody outside of the process knows, so no header can be made whose
// names crowd together.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/header_data.hpp"
#include "core/header_report.hpp"

namespace weighbridge {

/// Fills data.name_index; reports DuplicateKey for every name that stands more than once.
/// REQUIRES: sorted tensors with their names' hashes.
void build_name_index(Header::Data& data, HeaderReport& report);

/// Position of the tensor of that name.
[[nodiscard]] std::optional<std::size_t> find_name(const Header::Data& data, std::string_view name) noexcept;

}  // namespace weighbridge
