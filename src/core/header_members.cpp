#include "core/header_members.hpp"

#include <algorithm>
#include <span>

#include "core/header_strings.hpp"

namespace weighbridge {
namespace {

std::vector<char> padded(std::string_view text) {
  std::vector<char> copy(text.size() + kTextPadding, '\0');
  std::ranges::copy(text, copy.begin());
  return copy;
}

}  // namespace

HeaderMembers::HeaderMembers(std::string_view text)
    : copy_(padded(text)), cursor_(std::span(copy_).first(text.size())) {}

HeaderMember HeaderMembers::next() {
  cursor_.skip_space();
  HeaderMember member;
  member.begin = cursor_.position();
  member.name = cursor_.view(cursor_.string("a name"));
  member.colon = cursor_.position();
  cursor_.expect(':', "':'");
  cursor_.skip_value();
  member.end = cursor_.position();
  return member;
}

}  // namespace weighbridge
