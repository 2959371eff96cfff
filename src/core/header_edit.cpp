#include "core/header_edit.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "core/header_cursor.hpp"
#include "core/header_data.hpp"
#include "core/header_strings.hpp"
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
};

// Decoding escapes, the cursor changes its text, but moves nothing outside of a string.
class MetadataFinder {
 public:
  explicit MetadataFinder(std::string_view text)
      : text_(text), copy_(padded(text)), cursor_(std::span(copy_).first(text.size())) {}

  Parts find() {
    Parts parts;
    cursor_.expect('{', "'{'");
    parts.metadata = parts.rest = position();
    parts.needs_comma = !cursor_.take('}');
    if (parts.needs_comma) {
      do look_at_member(parts);
      while (cursor_.more('}'));
    }
    parts.padding = position();
    return parts;
  }

 private:
  static std::vector<char> padded(std::string_view text) {
    std::vector<char> copy(text.size() + kTextPadding, '\0');
    std::ranges::copy(text, copy.begin());
    return copy;
  }

  [[nodiscard]] std::size_t position() const { return cursor_.offset() - kHeaderStart; }

  void look_at_member(Parts& parts) {
    cursor_.skip_space();
    const std::size_t begin = position();
    const std::string_view name = cursor_.view(cursor_.string("a name"));
    cursor_.expect(':', "':'");
    cursor_.skip_value();
    if (name != kMetadataKey) return;
    parts = {.metadata = begin, .rest = std::min(text_.find_first_not_of(' ', position()), text_.size())};
  }

  std::string_view text_;
  std::vector<char> copy_;
  HeaderCursor cursor_;
};

// The largest power of two, within what HeaderStyle allows, that the data section starts at a multiple of.
std::uint64_t alignment_of(std::uint64_t data_begin) {
  return std::clamp(data_begin & (~data_begin + 1), kLeastAlignment, kMostAlignment);
}

std::uint64_t size_for(std::uint64_t used, std::uint64_t slack, std::uint64_t old_size) {
  const std::uint64_t least = checked_add(used, slack).value_or(UINT64_MAX);
  return least <= old_size ? old_size : padded_header_size(least, alignment_of(old_size));
}

}  // namespace

std::string edit_header(std::span<const std::byte> bytes, const Metadata& metadata, std::uint64_t slack) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view text = file.substr(kHeaderStart);
  const Parts parts = MetadataFinder(text).find();

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

}  // namespace weighbridge
