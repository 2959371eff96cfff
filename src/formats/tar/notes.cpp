#include "formats/tar/notes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/tar/header.hpp"

namespace weighbridge::tar {
namespace {

constexpr std::uint64_t kMostBytes = 64 * 1024;

/// What changes nothing about the content of a member.
bool is_harmless(std::string_view key) {
  constexpr std::array<std::string_view, 12> kKeys = {
      "atime", "comment", "ctime",      "gid",        "gname",         "mtime",
      "uid",   "uname",   "SCHILY.dev", "SCHILY.ino", "SCHILY.fflags", "SCHILY.nlink"};
  return std::ranges::find(kKeys, key) != kKeys.end() || key.starts_with("LIBARCHIVE.") ||
         key.starts_with("SCHILY.xattr.") || key.starts_with("RHT.security.");
}

/// One record, whose length counts itself: "30 mtime=1321711775.972059463\n".
std::string_view take_record(std::string_view& text, std::uint64_t offset) {
  std::size_t length = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [parsed, error] = std::from_chars(begin, end, length);
  const bool counted = error == std::errc{} && parsed != end && *parsed == ' ';
  const auto start = static_cast<std::size_t>(parsed - begin) + 1;
  if (!counted || length <= start || length > text.size() || text[length - 1] != '\n') {
    throw failure("an extended header is malformed", offset);
  }
  const std::string_view record = text.substr(start, length - 1 - start);
  text.remove_prefix(length);
  return record;
}

}  // namespace

void check_notes(const ByteSource& source, std::uint64_t offset, std::uint64_t bytes) {
  if (bytes > kMostBytes) {
    throw failure(fmt::format("an extended header has {} bytes, the limit is {}", bytes, kMostBytes), offset);
  }
  std::string content(bytes, '\0');
  source.read_at(offset, std::as_writable_bytes(std::span(content)));
  for (std::string_view rest = content; !rest.empty();) {
    const std::string_view record = take_record(rest, offset);
    const std::string_view key = record.substr(0, record.find('='));
    if (key.size() == record.size()) throw failure("an extended header is malformed", offset);
    if (is_harmless(key)) continue;
    throw failure(fmt::format("an extended header changes '{}' of the next member", printable(key)), offset);
  }
}

}  // namespace weighbridge::tar
