// The order of the tensors: that of their bytes.
#pragma once

#include "core/header_data.hpp"

namespace weighbridge {

/// Puts the tensors in order of (begin, end); ties stay in the order of the text. Takes time linear in
/// their number, and 8 bytes a tensor; tensors that are in order already cost one look.
void sort_tensors(Header::Data& data);

}  // namespace weighbridge
