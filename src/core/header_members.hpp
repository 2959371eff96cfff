// Where the members of a header's JSON stand in its text.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/header_cursor.hpp"

namespace weighbridge {

/// Positions in the text of one `"name": value`.
struct HeaderMember {
  std::string_view name;  ///< Decoded; valid until the next member is looked at.
  std::size_t begin = 0;  ///< Of the quote in front of the name.
  std::size_t colon = 0;  ///< Behind the quote that ends the name.
  std::size_t end = 0;    ///< Behind the value.
};

/// Goes through the members of a valid header's text. Decoding escapes, the cursor changes its copy of the
/// text, but moves nothing outside of a string.
class HeaderMembers {
 public:
  explicit HeaderMembers(std::string_view text);

  /// Calls `look` for each member; gives the position behind the brace that ends the JSON.
  template <class Look>
  std::size_t each(Look&& look) {
    cursor_.expect('{', "'{'");
    first_ = cursor_.position();
    if (cursor_.take('}')) return cursor_.position();
    do look(next());
    while (cursor_.more('}'));
    return cursor_.position();
  }

  /// Behind the brace that begins the JSON. REQUIRES: each() has begun.
  [[nodiscard]] std::size_t first() const noexcept { return first_; }

 private:
  HeaderMember next();

  std::vector<char> copy_;
  HeaderCursor cursor_;
  std::size_t first_ = 0;
};

}  // namespace weighbridge
