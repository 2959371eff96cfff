#include "core/header_rename.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "core/header_data.hpp"
#include "core/header_members.hpp"
#include "core/header_report.hpp"
#include "core/header_write.hpp"

namespace weighbridge {
namespace {

void check_new_name(const TensorRename& rename) {
  if (rename.to == kMetadataKey) {
    throw Error(ErrorCode::ReservedName,
                fmt::format("tensor '{}' cannot be named '__metadata__', which names the metadata",
                            short_text(rename.from)),
                rename.from);
  }
  if (find_invalid_utf8(rename.to)) {
    throw Error(ErrorCode::InvalidHeader,
                fmt::format("the new name of tensor '{}' is not valid UTF-8: '{}'", short_text(rename.from),
                            short_text(rename.to)),
                rename.from);
  }
}

[[noreturn]] void fail_collision(std::string_view one, std::string_view other, std::string_view name) {
  throw Error(ErrorCode::NameCollision,
              fmt::format("tensors '{}' and '{}' would both be named '{}'", short_text(one),
                          short_text(other), short_text(name)),
              std::string(name));
}

/// Spaces in the text, by their positions, which are all those that text can move into.
using Room = std::map<std::size_t, std::uint64_t>;

/// A name that becomes another text.
struct Replacement {
  std::size_t begin = 0;
  std::size_t end = 0;     ///< Of the old name, quotes included.
  std::size_t behind = 0;  ///< The end of the entry.
  std::string text;
};

/// What is to be done to a header's text.
struct Work {
  std::vector<Replacement> replacements;  ///< In order of place.
  Room before;                            ///< Spaces that there are.
};

std::uint64_t spaces_at(std::string_view text, std::size_t at) {
  const std::size_t end = std::min(text.find_first_not_of(' ', at), text.size());
  return end - at;
}

Work look_at(std::string_view text, std::span<const TensorRename> renames) {
  std::unordered_map<std::string_view, std::string_view> names;
  for (const TensorRename& rename : renames) names.emplace(rename.from, rename.to);
  Work work;
  const auto note_spaces = [&](std::size_t at) {
    if (const std::uint64_t spaces = spaces_at(text, at); spaces > 0) work.before.emplace(at, spaces);
  };
  HeaderMembers members(text);
  const std::size_t end = members.each([&](const HeaderMember& member) {
    note_spaces(member.end);
    const auto found = names.find(member.name);
    if (found == names.end() || found->second == member.name) return;
    Replacement replacement = {.begin = member.begin, .end = member.colon, .behind = member.end, .text = {}};
    append_json_string(replacement.text, found->second);
    work.replacements.push_back(std::move(replacement));
  });
  note_spaces(end);
  return work;
}

/// Takes up to `wanted` of the spaces that are nearest to `at`; gives how many it took.
std::uint64_t take_nearest(Room& room, std::size_t at, std::uint64_t wanted) {
  auto nearest = room.lower_bound(at);
  if (nearest != room.begin()) {
    const auto left = std::prev(nearest);
    if (nearest == room.end() || at - left->first < nearest->first - at) nearest = left;
  }
  if (nearest == room.end()) return 0;
  const std::uint64_t taken = std::min(wanted, nearest->second);
  nearest->second -= taken;
  if (nearest->second == 0) room.erase(nearest);
  return taken;
}

/// The spaces that are left when every name has its new length.
Room room_after(const Work& work) {
  Room room = work.before;
  for (const Replacement& name : work.replacements) {
    const std::size_t old_size = name.end - name.begin;
    if (name.text.size() < old_size) room[name.behind] += old_size - name.text.size();
  }
  for (const Replacement& name : work.replacements) {
    const std::size_t old_size = name.end - name.begin;
    std::uint64_t wanted = name.text.size() - std::min(old_size, name.text.size());
    while (wanted > 0 && !room.empty()) wanted -= take_nearest(room, name.end, wanted);
  }
  return room;
}

/// Copies text, and puts other text in some places of it.
class Rewriter {
 public:
  Rewriter(std::string& out, std::string_view text) : out_(out), text_(text) {}

  /// `replacement` in the place of what stands from `begin` to `end`. Places come in order.
  void replace(std::size_t begin, std::size_t end, std::string_view replacement) {
    out_.append(text_.substr(at_, begin - at_)).append(replacement);
    at_ = end;
  }
  void finish() { out_.append(text_.substr(at_)); }

 private:
  std::string& out_;
  std::string_view text_;
  std::size_t at_ = 0;
};

/// Every stretch of the text that becomes another: names, and runs of spaces. In order of place.
std::map<std::size_t, std::pair<std::size_t, std::string>> changes_of(const Work& work) {
  std::map<std::size_t, std::pair<std::size_t, std::string>> changes;
  const Room after = room_after(work);
  for (const auto& [at, spaces] : work.before) changes[at] = {at + spaces, {}};
  for (const auto& [at, spaces] : after) {
    changes.try_emplace(at, at, std::string()).first->second.second = std::string(spaces, ' ');
  }
  for (const Replacement& name : work.replacements) changes[name.begin] = {name.end, name.text};
  return changes;
}

}  // namespace

void check_renames(const Header& header, std::span<const TensorRename> renames) {
  std::unordered_set<std::string_view> old_names;
  for (const TensorRename& rename : renames) {
    (void)header.get(rename.from);
    if (!old_names.insert(rename.from).second) {
      throw Error(ErrorCode::InvalidArgument,
                  fmt::format("tensor '{}' is given two new names", short_text(rename.from)), rename.from);
    }
    check_new_name(rename);
  }
  std::unordered_map<std::string_view, std::string_view> new_names;
  for (const TensorRename& rename : renames) {
    const auto [other, is_new] = new_names.emplace(rename.to, rename.from);
    if (!is_new) fail_collision(other->second, rename.from, rename.to);
    if (header.find(rename.to) && !old_names.contains(rename.to)) {
      fail_collision(rename.from, rename.to, rename.to);
    }
  }
}

std::string rename_in_header(std::span<const std::byte> bytes, std::span<const TensorRename> renames) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view text = file.substr(kHeaderStart);
  std::string renamed(kHeaderStart, '\0');
  Rewriter rewriter(renamed, text);
  for (const auto& [begin, change] : changes_of(look_at(text, renames))) {
    rewriter.replace(begin, change.first, change.second);
  }
  rewriter.finish();
  if (renamed.size() > file.size()) {
    renamed.resize(padded_header_size(renamed.size(), alignment_of(file.size())), ' ');
  }
  store_le<std::uint64_t>(renamed.data(), renamed.size() - kHeaderStart);
  return renamed;
}

}  // namespace weighbridge
