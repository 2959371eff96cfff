#include "core/header_edit.hpp"

#include <algorithm>
#include <span>
#include <string_view>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "core/header_data.hpp"
#include "core/header_members.hpp"
#include "core/header_write.hpp"

namespace weighbridge {
namespace {

/// Positions in the JSON: what stands in front of the metadata, the metadata with the spaces behind
/// them, what follows up to the last brace, and the padding.
struct Parts {
  std::size_t metadata = 0;
  std::size_t rest = 0;
  std::size_t padding = 0;
  bool needs_comma = false;  ///< There are no metadata, and tensors follow.
  bool has_metadata = false;
};

Parts find_parts(std::string_view text) {
  Parts parts;
  bool any = false;
  HeaderMembers members(text);
  parts.padding = members.each([&](const HeaderMember& member) {
    any = true;
    if (member.name != kMetadataKey) return;
    parts.has_metadata = true;
    parts.metadata = member.begin;
    parts.rest = std::min(text.find_first_not_of(' ', member.end), text.size());
  });
  if (parts.has_metadata) return parts;
  parts.metadata = parts.rest = members.first();
  parts.needs_comma = any;
  return parts;
}

std::string_view characters(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint64_t size_for(std::uint64_t used, std::uint64_t slack, std::uint64_t old_size) {
  const std::uint64_t least = checked_add(used, slack).value_or(UINT64_MAX);
  return least <= old_size ? old_size : padded_header_size(least, alignment_of(old_size));
}

}  // namespace

std::string header_with_metadata(std::span<const std::byte> bytes, const Metadata& metadata,
                                 std::uint64_t slack) {
  const std::string_view file = characters(bytes);
  const std::string_view text = file.substr(kHeaderStart);
  const Parts parts = find_parts(text);

  std::string member;
  append_metadata(member, metadata);
  const std::string_view front = text.substr(0, parts.metadata);
  std::string rest(text.substr(parts.rest, parts.padding - parts.rest));
  if (parts.needs_comma) rest.insert(0, 1, ',');
  const std::uint64_t old_room = parts.rest - parts.metadata;
  const bool stays = member.size() <= old_room && slack <= old_room - member.size();

  const std::uint64_t used = kHeaderStart + front.size() + member.size() + rest.size();
  const std::uint64_t size = stays ? file.size() : size_for(used, slack, file.size());
  std::string edited(kHeaderStart, '\0');
  store_le<std::uint64_t>(edited.data(), size - kHeaderStart);
  edited.append(front).append(member);
  edited.append(stays ? old_room - member.size() : size - used, ' ');
  edited.append(rest);
  edited.resize(size, ' ');
  return edited;
}

std::uint64_t room_in_header(std::span<const std::byte> bytes) {
  const Parts parts = find_parts(characters(bytes).substr(kHeaderStart));
  return kHeaderStart + (parts.has_metadata ? parts.rest : parts.padding);
}

}  // namespace weighbridge
