#include "formats/sharded/index.hpp"

#include <algorithm>
#include <set>

#include <weighbridge/error.hpp>
#include <weighbridge/folder.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/json/document.hpp"

namespace weighbridge::sharded {
namespace {

/// Real indexes have their metadata first, which is short.
constexpr std::uint64_t kHeadBytes = 64 * 1024;
constexpr std::uint32_t kDepth = 64;

[[noreturn]] void refuse(const std::string& what, const std::string& subject = {}) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("the index: {}", what), subject);
}

std::string read_text(const ByteSource& source, std::uint64_t bytes) {
  std::string text(bytes, '\0');
  source.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

/// Files by name, each with its position.
std::map<std::string, std::uint32_t, std::less<>> number_files(const json::Document& document,
                                                               json::Node weight_map) {
  std::map<std::string, std::uint32_t, std::less<>> files;
  for (json::Node at = document.first(weight_map); at != json::kNone; at = document.next(at)) {
    const std::string tensor(document.key(at));
    if (document.kind(at) != json::Kind::String) {
      refuse(fmt::format("tensor '{}' is mapped to something other than a file name", printable(tensor)),
             tensor);
    }
    const std::string file(document.string(at));
    if (!is_plain_file_name(file)) {
      refuse(fmt::format("tensor '{}' is mapped to '{}', which is not the plain name of a file beside it",
                         printable(tensor), printable(file)),
             tensor);
    }
    files.emplace(file, 0);
  }
  std::uint32_t next = 0;
  for (auto& [name, number] : files) number = next++;
  return files;
}

void check_count(const Index& index, const Limits& limits) {
  if (index.owner.size() <= limits.tensors && index.files.size() <= limits.archive_entries) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("the index has {} tensors in {} files, the limits are {} and {}",
                          index.owner.size(), index.files.size(), limits.tensors, limits.archive_entries));
}

}  // namespace

bool looks_like_index(const ByteSource& source) {
  if (source.size() < 2) return false;
  const std::string head = read_text(source, std::min(source.size(), kHeadBytes));
  return head.front() == '{' && head.find("\"weight_map\"") != std::string::npos;
}

Index parse_index(const ByteSource& source, const Limits& limits) {
  if (source.size() > limits.header_bytes) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the index has {} bytes, the limit is {}", source.size(), limits.header_bytes));
  }
  const std::string text = read_text(source, source.size());
  const json::Document document =
      json::parse(text, "the index", {.values = 2 * limits.tensors + 1000, .depth = kDepth});
  const json::Node weight_map = document.find(0, "weight_map");
  if (weight_map == json::kNone || document.kind(weight_map) != json::Kind::Object) {
    refuse("weight_map is no object");
  }
  const auto numbers = number_files(document, weight_map);
  Index index;
  for (const auto& [name, number] : numbers) index.files.push_back(name);
  for (json::Node at = document.first(weight_map); at != json::kNone; at = document.next(at)) {
    index.owner.emplace(document.key(at), numbers.find(document.string(at))->second);
  }
  check_count(index, limits);
  return index;
}

std::string serialize_index(const Index& index, std::uint64_t total_bytes) {
  std::string out =
      fmt::format("{{\n  \"metadata\": {{\n    \"total_size\": {}\n  }},\n  \"weight_map\": {{", total_bytes);
  const char* before = "\n    ";
  for (const auto& [name, file] : index.owner) {
    out += before;
    append_json_string(out, name);
    out += ": ";
    append_json_string(out, index.files[file]);
    before = ",\n    ";
  }
  return out + (index.owner.empty() ? "}\n}\n" : "\n  }\n}\n");
}

}  // namespace weighbridge::sharded
