// {"metadata": {"total_size": 8}, "weight_map": {"/layers/dense/vars": "model_00000.weights.h5", ...}}
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <weighbridge/folder.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/json/document.hpp"
#include "formats/keras/read.hpp"

namespace weighbridge::keras {
namespace {

constexpr std::uint64_t kHeadBytes = 64 * 1024;
constexpr std::uint32_t kDepth = 64;
constexpr std::string_view kSuffix = ".weights.h5";

/// Groups of variables, by the file that has them.
using Index = std::map<std::string, std::vector<std::string>, std::less<>>;

[[noreturn]] void refuse(const std::string& what, std::string_view subject = {}) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("the index: {}", what), std::string(subject));
}

std::string read_text(const ByteSource& source, std::uint64_t bytes) {
  std::string text(bytes, '\0');
  source.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void add_file(Index& index, const json::Document& document, json::Node file, std::string_view group) {
  if (!document.is_string(file))
    refuse(fmt::format("'{}' is mapped to no file name", printable(group)), group);
  const std::string_view name = document.string(file);
  if (!is_plain_file_name(name)) {
    refuse(fmt::format("'{}' is mapped to '{}', which is not the plain name of a file beside it",
                       printable(group), printable(name)),
           group);
  }
  index[std::string(name)].emplace_back(group);
}

Index parse_index(const ByteSource& source, const Limits& limits) {
  if (source.size() > limits.header_bytes) {
    throw Error(ErrorCode::LimitExceeded,
                fmt::format("the index has {} bytes, the limit is {}", source.size(), limits.header_bytes));
  }
  const json::Document document = json::parse(read_text(source, source.size()), "the index",
                                              {.values = 2 * limits.tensors + 1000, .depth = kDepth});
  const json::Node groups = document.find(0, "weight_map");
  if (groups == json::kNone || document.kind(groups) != json::Kind::Object) refuse("weight_map is no object");
  Index index;
  for (json::Node group = document.first(groups); group != json::kNone; group = document.next(group)) {
    if (document.kind(group) != json::Kind::Array) {
      add_file(index, document, group, document.key(group));
      continue;
    }
    for (json::Node file = document.first(group); file != json::kNone; file = document.next(file)) {
      add_file(index, document, file, document.key(group));
    }
  }
  return index;
}

/// The files of an index, one after the other into one content.
class Merger {
 public:
  explicit Merger(const OpenOptions& options) : options_(options) {
    content_.groups.push_back({.path = "", .attributes = {}});
  }

  void add(const std::string& file, const std::vector<std::string>& groups) {
    const SourcePtr source = open(file);
    bytes_ += source->size();
    hdf5::Content part = parse(source, file);
    check_groups(part, groups, file);
    for (hdf5::Dataset& dataset : part.datasets) {
      if (!paths_.insert(dataset.path).second) {
        throw Error(ErrorCode::NameCollision,
                    fmt::format("'{}' is in several files, the last of them '{}'", printable(dataset.path),
                                printable(file)),
                    dataset.path);
      }
      content_.datasets.push_back(std::move(dataset));
    }
    for (hdf5::Group& group : part.groups) {
      if (groups_.insert(group.path).second && !group.path.empty())
        content_.groups.push_back(std::move(group));
    }
    std::ranges::move(part.findings, std::back_inserter(content_.findings));
  }

  Checkpoint finish(std::vector<ModelText> texts) && {
    Checkpoint checkpoint = assemble(std::move(content_), std::move(texts), options_);
    checkpoint.format = "keras-sharded";
    checkpoint.source_bytes = bytes_;
    return checkpoint;
  }

 private:
  [[nodiscard]] SourcePtr open(const std::string& file) const {
    if (options_.folder == nullptr) {
      throw Error(ErrorCode::Unsupported, "an index of weights without the folder that they are in");
    }
    if (SourcePtr source = options_.folder->find(file, Links::Follow)) return source;
    throw Error(ErrorCode::MalformedCheckpoint, fmt::format("'{}' is not beside its index", printable(file)),
                file);
  }

  [[nodiscard]] hdf5::Content parse(const SourcePtr& source, const std::string& file) const {
    if (!looks_like_hdf5(*source)) {
      throw Error(ErrorCode::MalformedCheckpoint, fmt::format("'{}' is no HDF5 file", printable(file)), file);
    }
    try {
      return parse_hdf5(source, options_);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("'{}': {}", printable(file), error.what()), error.subject());
    }
  }

  static void check_groups(const hdf5::Content& part, const std::vector<std::string>& groups,
                           const std::string& file) {
    std::set<std::string_view> there;
    for (const hdf5::Group& group : part.groups) there.insert(group.path);
    for (const std::string& group : groups) {
      const std::string_view path = std::string_view(group).substr(group.starts_with('/') ? 1 : 0);
      if (there.contains(path)) continue;
      throw Error(
          ErrorCode::MalformedCheckpoint,
          fmt::format("'{}' is not in '{}', where the index has it", printable(group), printable(file)),
          group);
    }
  }

  const OpenOptions& options_;
  hdf5::Content content_;
  std::set<std::string> paths_;
  std::set<std::string> groups_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

bool looks_like_weights_index(const ByteSource& source) {
  if (source.size() < 2) return false;
  const std::string head = read_text(source, std::min(source.size(), kHeadBytes));
  return head.front() == '{' && head.find("\"weight_map\"") != std::string::npos &&
         head.find(fmt::format("{}\"", kSuffix)) != std::string::npos;
}

Checkpoint read_weights_index(SourcePtr index, const OpenOptions& options) {
  Merger merger(options);
  for (const auto& [file, groups] : parse_index(*index, options.limits)) merger.add(file, groups);
  return std::move(merger).finish({});
}

}  // namespace weighbridge::keras
