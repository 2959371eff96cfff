#include "cli/scan_files.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace weighbridge::cli {
namespace {

namespace fs = std::filesystem;

/// What lies in a folder, last name first: the order in which a stack gives the first one back first.
std::vector<std::string> list_backwards(const std::string& folder, std::error_code& error) {
  std::vector<std::string> found;
  fs::directory_iterator entry(folder, error);
  while (!error && entry != fs::directory_iterator()) {
    const fs::file_type type = entry->symlink_status(error).type();
    if (error) break;
    if (type == fs::file_type::regular || type == fs::file_type::directory) {
      found.push_back(entry->path().string());
    }
    entry.increment(error);
  }
  std::ranges::sort(found, std::ranges::greater());
  return found;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;  // a path that cannot be looked at is reported when it is opened
  return fs::is_directory(path, ignored);
}

void add_targets(const std::string& path, std::vector<ScanTarget>& targets) {
  std::vector<std::string> open = {path};
  while (!open.empty()) {
    const std::string current = std::move(open.back());
    open.pop_back();
    if (std::string_view(current) == "-" || !is_folder(current)) {
      targets.push_back({current});
      continue;
    }
    std::error_code error;
    const std::vector<std::string> inside = list_backwards(current, error);
    if (error) targets.push_back({current, Error::from_errno(error.value(), "list", current)});
    open.insert(open.end(), inside.begin(), inside.end());
  }
}

}  // namespace

std::vector<ScanTarget> find_scan_targets(const std::vector<std::string>& paths) {
  std::vector<ScanTarget> targets;
  for (const std::string& path : paths) add_targets(path, targets);
  return targets;
}

}  // namespace weighbridge::cli
