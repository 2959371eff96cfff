#include "formats/gguf/split.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::string_view kSplit = "split.";
constexpr std::uint64_t kMostParts = 99'999;  // five digits

std::string part_name(std::string_view prefix, std::uint64_t part, std::uint64_t parts) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix, part + 1, parts);
}

std::optional<std::uint64_t> find_number(const Part& part, std::string_view key) {
  const KeyValue* const pair = part.header.find(key);
  if (pair == nullptr) return std::nullopt;
  return read_number({part.source, part.header.big_endian, *pair});
}

[[noreturn]] void refuse(const std::string& what, const std::string& subject) {
  throw Error(ErrorCode::MalformedCheckpoint, what, subject);
}

/// What stands before the numbers in the name of the part that was given.
std::string_view find_prefix(std::string_view name, std::uint64_t part, std::uint64_t parts) {
  const std::string ending = part_name("", part, parts);
  if (name.size() > ending.size() && name.ends_with(ending)) {
    return name.substr(0, name.size() - ending.size());
  }
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("'{}' is part {} of {} of a GGUF model and should be called <name>{}",
                          printable(name), part + 1, parts, ending),
              std::string(name));
}

Part read_part(const std::string& name, const OpenOptions& options) {
  SourcePtr source = options.folder->find(name, Links::Follow);
  if (!source) refuse(fmt::format("part '{}' of the model is not beside it", printable(name)), name);
  try {
    FileHeader header = parse_file_header(*source, options.limits);
    return {.name = name, .source = std::move(source), .header = std::move(header)};
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("part '{}': {}", printable(name), error.what()), error.subject(),
                error.offset());
  }
}

void check_part(const Part& part, std::uint64_t number, std::uint64_t count) {
  if (find_number(part, "split.no") == number && find_number(part, "split.count") == count) return;
  refuse(
      fmt::format("part '{}' does not say that it is part {} of {}", printable(part.name), number + 1, count),
      part.name);
}

/// Each part says how many tensors the whole model has.
void check_tensors(const std::vector<Part>& parts) {
  std::uint64_t sum = 0;
  for (const Part& part : parts) sum += part.header.tensors.size();
  for (const Part& part : parts) {
    const auto said = find_number(part, "split.tensors.count");
    if (!said || *said == sum) continue;
    refuse(fmt::format("part '{}' says that the model has {} tensors; its parts have {}",
                       printable(part.name), *said, sum),
           part.name);
  }
}

bool is_same(const StoredPair& one, const StoredPair& other) {
  if (one.pair.type != other.pair.type || one.pair.array != other.pair.array ||
      one.pair.bytes != other.pair.bytes || one.big_endian != other.big_endian) {
    return false;
  }
  const Buffer a = one.source->read(one.pair.offset, one.pair.bytes);
  const Buffer b = other.source->read(other.pair.offset, other.pair.bytes);
  return std::ranges::equal(a.bytes(), b.bytes());
}

}  // namespace

std::vector<Part> find_parts(Part given, const OpenOptions& options) {
  const std::uint64_t count = find_number(given, "split.count").value_or(1);
  std::vector<Part> parts;
  if (count <= 1) {
    parts.push_back(std::move(given));
    return parts;
  }
  const std::uint64_t number = find_number(given, "split.no").value_or(UINT64_MAX);
  if (number >= count || count > kMostParts) {
    refuse(fmt::format("split.no is {}, split.count is {}", number, count), "split.no");
  }
  if (options.folder == nullptr || options.input_name.empty()) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("part {} of {} of a GGUF model without the folder that the others are in",
                            number + 1, count));
  }
  const std::string prefix(find_prefix(options.input_name, number, count));
  given.name = options.input_name;
  check_part(given, number, count);
  parts.resize(count);
  parts[number] = std::move(given);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i == number) continue;
    parts[i] = read_part(part_name(prefix, i, count), options);
    check_part(parts[i], i, count);
  }
  check_tensors(parts);
  return parts;
}

std::vector<StoredPair> join_pairs(const std::vector<Part>& parts, Findings& findings) {
  std::vector<StoredPair> pairs;
  std::map<std::string_view, std::size_t> places;
  std::vector<std::string> differing;
  for (const Part& part : parts) {
    for (const KeyValue& pair : part.header.values) {
      if (parts.size() > 1 && pair.key.starts_with(kSplit)) continue;
      StoredPair stored{part.source, part.header.big_endian, pair};
      const auto [known, fresh] = places.emplace(pair.key, pairs.size());
      if (fresh) {
        pairs.push_back(std::move(stored));
      } else if (!is_same(pairs[known->second], stored)) {
        differing.push_back(pair.key);
      }
    }
  }
  if (differing.empty()) return pairs;
  findings.push_back(
      {.severity = Severity::Warning,
       .code = "KeyValuesNotTaken",
       .message =
           fmt::format("{} key-value pairs of later parts differ from those of the first "
                       "and are left out ('{}'{})",
                       differing.size(), printable(differing.front()), differing.size() > 1 ? ", ..." : ""),
       .subject = differing.front(),
       .offset = std::nullopt});
  return pairs;
}

}  // namespace weighbridge::gguf
