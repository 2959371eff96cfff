// The text of a header in memory, as its readers need it.
#pragma once

#include <algorithm>
#include <string_view>

#include "core/header_data.hpp"

namespace weighbridge::test {

/// A copy with kTextPadding NULs behind it.
inline HeaderText padded(std::string_view text) {
  HeaderText copy = make_text(text.size() + kTextPadding);
  std::fill_n(std::ranges::copy(text, copy.get()).out, kTextPadding, '\0');
  return copy;
}

}  // namespace weighbridge::test
