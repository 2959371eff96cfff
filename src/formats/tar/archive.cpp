#include "formats/tar/archive.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/tar/header.hpp"
#include "formats/tar/notes.hpp"
#include "formats/zip/entry_name.hpp"

namespace weighbridge::tar {
namespace {

constexpr std::uint64_t kPieceBytes = 64 * 1024;

/// What a member is, where that is a reason to refuse it.
std::string_view refused_kind(char type) {
  switch (type) {
    case '1':
      return "a hard link";
    case '2':
      return "a symbolic link";
    case '3':
    case '4':
      return "a device";
    case '6':
      return "a pipe";
    case 'S':
      return "a sparse file";
    case 'K':
    case 'L':
      return "a name for the next member";
    default:
      return "of an unknown kind";
  }
}

std::string_view without_dot(std::string_view name) {
  while (name.starts_with("./")) name.remove_prefix(2);
  return name;
}

/// Reads headers one behind another.
class Reader {
 public:
  Reader(const ByteSource& source, const Limits& limits) : source_(source), limits_(limits) {}

  std::vector<Member> run() {
    while (const auto block = next_block()) {
      const std::uint64_t header_offset = at_;
      at_ += kBlock;
      take(parse_header(*block, header_offset), header_offset);
    }
    check_rest();
    check_unique();
    return std::move(members_);
  }

 private:
  /// The next header, or nothing at the end of the archive.
  std::optional<Block> next_block() const {
    if (!range_fits(at_, kBlock, source_.size())) {
      throw failure("the archive ends without an empty block", source_.size());
    }
    Block block;
    source_.read_at(at_, block);
    return is_empty(block) ? std::nullopt : std::optional(block);
  }

  void take(const Header& header, std::uint64_t header_offset) {
    if (++headers_ > limits_.archive_entries) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("tar archive: more than {} headers", limits_.archive_entries));
    }
    const std::uint64_t offset = at_;
    skip_data(header, header_offset);
    switch (header.type) {
      case '0':
      case '\0':
        return add(header, header_offset, offset);
      case '5':
        return check_folder(header, header_offset);
      case 'g':
      case 'x':
        return check_notes(source_, offset, header.bytes);
      default:
        throw failure(fmt::format("'{}' is {}", printable(header.name), refused_kind(header.type)),
                      header_offset);
    }
  }

  /// Data is padded to whole blocks, which must be there.
  void skip_data(const Header& header, std::uint64_t header_offset) {
    const auto padded = checked_add(header.bytes, kBlock - 1);
    const std::uint64_t bytes = padded ? *padded / kBlock * kBlock : UINT64_MAX;
    if (!range_fits(at_, bytes, source_.size())) {
      throw failure(fmt::format("'{}' has {} bytes, the file has {} left", printable(header.name),
                                header.bytes, source_.size() - at_),
                    header_offset);
    }
    at_ += bytes;
  }

  void add(const Header& header, std::uint64_t header_offset, std::uint64_t offset) {
    const std::string_view name = without_dot(header.name);
    if (name.empty() || name.ends_with('/')) throw failure("a file without a name", header_offset);
    if (zip::leaves_its_folder(name) || name.find('\\') != std::string_view::npos) {
      throw failure(fmt::format("the name '{}' leaves the archive's folder", printable(name)), header_offset);
    }
    members_.push_back({std::string(name), header_offset, offset, header.bytes});
  }

  static void check_folder(const Header& header, std::uint64_t header_offset) {
    if (header.bytes == 0) return;
    throw failure(fmt::format("the folder '{}' has {} bytes", printable(header.name), header.bytes),
                  header_offset);
  }

  /// A reader that goes on at the next header would find more.
  void check_rest() const {
    std::vector<std::byte> piece(kPieceBytes);
    for (std::uint64_t offset = at_; offset < source_.size(); offset += piece.size()) {
      const auto part =
          std::span(piece).first(std::min<std::uint64_t>(piece.size(), source_.size() - offset));
      source_.read_at(offset, part);
      if (!is_empty(part)) throw failure("bytes behind the end of the archive", offset);
    }
  }

  /// By sorting, so that no choice of names makes it slow.
  void check_unique() const {
    std::vector<std::size_t> order(members_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto compare = [this](std::size_t a, std::size_t b) {
      return zip::compare_folded(members_[a].name, members_[b].name);
    };
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return compare(a, b) < 0; });
    const auto same =
        std::ranges::adjacent_find(order, [&](std::size_t a, std::size_t b) { return compare(a, b) == 0; });
    if (same == order.end()) return;
    const Member& member = members_[std::max(*same, *std::next(same))];
    throw failure(fmt::format("'{}' is there twice", printable(member.name)), member.header_offset);
  }

  const ByteSource& source_;
  const Limits& limits_;
  std::uint64_t at_ = 0;
  std::uint64_t headers_ = 0;
  std::vector<Member> members_;
};

}  // namespace

bool looks_like_tar(const ByteSource& source) {
  if (source.size() < kBlock) return false;
  Block block;
  source.read_at(0, block);
  return has_magic(block) || (block[0] != std::byte{0} && has_checksum(block));
}

std::vector<Member> read_members(const ByteSource& source, const Limits& limits) {
  return Reader(source, limits).run();
}

}  // namespace weighbridge::tar
