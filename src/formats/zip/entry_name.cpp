#include "formats/zip/entry_name.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include "formats/zip/failure.hpp"

namespace weighbridge::zip {
namespace {

unsigned char fold(char letter) noexcept {
  const bool upper = letter >= 'A' && letter <= 'Z';
  return static_cast<unsigned char>(upper ? letter - 'A' + 'a' : letter);
}

bool has_drive_letter(std::string_view name) {
  return name.size() >= 2 && name[1] == ':' && fold(name[0]) >= 'a' && fold(name[0]) <= 'z';
}

}  // namespace

void check_name(std::string_view name, std::uint64_t header_offset) {
  if (name.empty()) {
    throw archive_failure(ErrorCode::MalformedArchive, "an entry without a name", header_offset);
  }
  if (name.find('\0') != std::string_view::npos) {
    throw entry_failure(ErrorCode::MalformedArchive, name, "the name holds a NUL byte", header_offset);
  }
  if (name.find('\\') != std::string_view::npos) {
    throw entry_failure(ErrorCode::MalformedArchive, name, "the name holds a backslash; zip separates by '/'",
                        header_offset);
  }
}

bool leaves_its_folder(std::string_view name) {
  if (name.starts_with('/') || has_drive_letter(name)) return true;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('/'), name.size());
    if (name.substr(0, end) == "..") return true;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return false;
}

int compare_names(std::string_view a, std::string_view b, NameCase name_case) noexcept {
  return name_case == NameCase::Folded ? compare_folded(a, b) : a.compare(b);
}

int compare_folded(std::string_view a, std::string_view b) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (fold(a[i]) != fold(b[i])) return fold(a[i]) < fold(b[i]) ? -1 : 1;
  }
  if (a.size() == b.size()) return 0;
  return a.size() < b.size() ? -1 : 1;
}

}  // namespace weighbridge::zip
