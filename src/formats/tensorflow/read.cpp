#include "formats/tensorflow/read.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/checked_source.hpp"
#include "formats/tensorflow/bundle.hpp"
#include "formats/tensorflow/crc32c.hpp"
#include "formats/tensorflow/element.hpp"
#include "formats/tensorflow/failure.hpp"
#include "formats/tensorflow/object_graph.hpp"
#include "formats/tensorflow/table.hpp"
#include "formats/torch/tiles.hpp"

namespace weighbridge::tensorflow {
namespace {

constexpr std::string_view kIndexSuffix = ".index";
constexpr std::string_view kWholeFile = ".";

Transform transform_of(DType dtype, bool big_endian) {
  if (dtype == DType::BOOL) return Transform::Booleans;
  if (!big_endian) return Transform::None;
  const std::uint32_t width = dtype == DType::C64 ? 32 : bit_width(dtype);
  if (width == 16) return Transform::Swap2;
  if (width == 32) return Transform::Swap4;
  return width == 64 ? Transform::Swap8 : Transform::None;
}

/// All of the content is read once, when somebody first asks for any of it.
void check_crc(const ByteSource& content, std::uint32_t expected, const std::string& name) {
  constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
  std::uint32_t crc = 0;
  for (std::uint64_t at = 0; at < content.size(); at += kPieceBytes) {
    const Buffer piece = content.read(at, std::min(kPieceBytes, content.size() - at));
    crc = crc32c(piece.bytes(), crc);
  }
  if (mask_crc(crc) == expected) return;
  refuse(fmt::format("tensor '{}' has the CRC-32C {:08x}, the index says {:08x}", printable(name),
                     mask_crc(crc), expected),
         name);
}

/// The files with the tensors, opened when one of them is needed.
class DataFiles {
 public:
  DataFiles(const OpenOptions& options, std::uint64_t count) : options_(options), count_(count) {
    if (options.folder == nullptr || !options.input_name.ends_with(kIndexSuffix)) {
      throw Error(
          ErrorCode::Unsupported,
          "the index of a TensorFlow checkpoint without the folder that its data is in, or under a name "
          "that does not end in .index");
    }
    prefix_ = options.input_name.substr(0, options.input_name.size() - kIndexSuffix.size());
  }

  const SourcePtr& get(std::uint64_t number) {
    SourcePtr& file = files_[number];
    if (file != nullptr) return file;
    const std::string name = fmt::format("{}.data-{:05}-of-{:05}", prefix_, number, count_);
    file = options_.folder->find(name, Links::Follow);
    if (file == nullptr) refuse(fmt::format("'{}' is not beside its index", printable(name)), name);
    bytes_ += file->size();
    return file;
  }

  /// Of all that were opened.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  const OpenOptions& options_;
  std::uint64_t count_;
  std::string prefix_;
  std::map<std::uint64_t, SourcePtr> files_;
  std::uint64_t bytes_ = 0;
};

class Reader {
 public:
  Reader(const ByteSource& source, const OpenOptions& options)
      : options_(options), index_(read_index(source, options.limits)), files_(options, index_.shards) {
    checkpoint_.format = "tensorflow";
    checkpoint_.root = options.key.value_or(std::string(kWholeFile));
    checkpoint_.metadata.emplace().emplace("format", "tf");
    checkpoint_.source_bytes = source.size();
  }

  Checkpoint run() {
    if (options_.variable_names) names_ = variable_names();
    for (const auto& [key, entry] : index_.tensors) add(key, entry);
    check_parts();
    report_skipped();
    if (checkpoint_.tensors.empty() && checkpoint_.root != kWholeFile) {
      throw Error(ErrorCode::NoTensors,
                  fmt::format("no tensor is named '{0}' or starts with '{0}/'", printable(checkpoint_.root)),
                  checkpoint_.root);
    }
    checkpoint_.source_bytes += files_.bytes();
    checkpoint_.candidates.push_back({checkpoint_.root, checkpoint_.tensors.size()});
    return std::move(checkpoint_);
  }

 private:
  /// Of variables whose name is theirs alone.
  std::map<std::string, std::string, std::less<>> variable_names() {
    const auto graph = index_.tensors.find(kObjectGraph);
    if (graph == index_.tensors.end() || graph->second.type != kStringType) {
      throw Error(ErrorCode::Unsupported,
                  "the TensorFlow checkpoint has no graph of objects to take names from");
    }
    const Entry& entry = graph->second;
    if (entry.bytes > options_.limits.header_bytes) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("the graph of objects has {} bytes, the limit is {}",
                                                        entry.bytes, options_.limits.header_bytes));
    }
    check_range(graph->first, entry);
    const Buffer payload = files_.get(entry.shard)->read(entry.offset, entry.bytes);
    auto names = read_variable_names({reinterpret_cast<const char*>(payload.bytes().data()), payload.size()});
    drop_ambiguous(names);
    return names;
  }

  void drop_ambiguous(std::map<std::string, std::string, std::less<>>& names) {
    std::map<std::string_view, std::uint64_t> uses;
    for (const auto& [key, name] : names) ++uses[name];
    const auto is_ambiguous = [&](const auto& item) {
      return uses.at(item.second) > 1 || index_.tensors.contains(item.second);
    };
    const auto first = std::ranges::find_if(names, is_ambiguous);
    if (first == names.end()) return;
    const std::string key = first->first;
    std::set<std::string> dropped;
    for (const auto& item : names) {
      if (is_ambiguous(item)) dropped.insert(item.first);
    }
    std::erase_if(names, [&](const auto& item) { return dropped.contains(item.first); });
    checkpoint_.findings.push_back(
        {.severity = Severity::Warning,
         .code = "AmbiguousNames",
         .message =
             fmt::format("{} variables keep their paths, for their names stand for others as well ('{}'{})",
                         dropped.size(), printable(key), dropped.size() > 1 ? ", ..." : ""),
         .subject = key,
         .offset = std::nullopt});
  }

  std::optional<std::string> select(const std::string& key) const {
    const auto named = names_.find(key);
    std::string_view name = named == names_.end() ? key : named->second;
    const std::string& root = checkpoint_.root;
    if (root == kWholeFile || name == root) return std::string(name);
    if (!name.starts_with(root) || name[root.size()] != '/') return std::nullopt;
    return std::string(name.substr(root.size() + 1));
  }

  void add(const std::string& key, const Entry& entry) {
    const auto name = select(key);
    if (!name) return;
    const auto dtype = find_dtype(entry.type);
    if (!dtype) {
      skipped_.emplace_back(key, entry.type);
      return;
    }
    TensorSpec spec{.name = *name, .dtype = *dtype, .shape = entry.shape};
    checkpoint_.tensors.push_back(entry.slices.empty() ? tensor_of(key, entry, std::move(spec))
                                                       : join(key, entry, spec));
  }

  void check_range(const std::string& key, const Entry& entry) {
    const std::uint64_t size = files_.get(entry.shard)->size();
    if (range_fits(entry.offset, entry.bytes, size)) return;
    refuse(fmt::format("tensor '{}' has {} bytes at byte {} of {}", printable(key), entry.bytes, entry.offset,
                       size),
           key);
  }

  TensorEntry tensor_of(const std::string& key, const Entry& entry, TensorSpec spec) {
    const std::uint64_t needed = byte_size(spec.dtype, spec.shape);
    if (needed != entry.bytes) {
      refuse(fmt::format("tensor '{}' has {} bytes, {} {} needs {}", printable(key), entry.bytes,
                         dtype_name(spec.dtype), shape_text(spec.shape), needed),
             key);
    }
    check_range(key, entry);
    SourcePtr content = sub_source(files_.get(entry.shard), entry.offset, entry.bytes);
    const auto look = [content, crc = entry.crc, key] { check_crc(*content, crc, key); };
    return {.spec = std::move(spec),
            .data = {.source = checked_source(content, check_once(look)),
                     .transform = transform_of(*find_dtype(entry.type), index_.big_endian)}};
  }

  /// A variable that was saved in parts, one for each device that had some of it.
  TensorEntry join(const std::string& key, const Entry& entry, const TensorSpec& spec) {
    std::vector<torch::Tile> tiles;
    for (const Slice& slice : entry.slices) {
      const auto part = index_.parts.find(slice_key(key, slice));
      if (part == index_.parts.end()) {
        refuse(fmt::format("tensor '{}' lacks one of its {} parts", printable(key), entry.slices.size()),
               key);
      }
      used_.insert(part->first);
      tiles.push_back(tile_of(key, entry, slice, part->second, spec));
    }
    return torch::join_tiles(spec, std::move(tiles));
  }

  torch::Tile tile_of(const std::string& key, const Entry& whole, const Slice& slice, const Entry& part,
                      const TensorSpec& spec) {
    torch::Tile tile;
    Shape shape;
    if (slice.size() != spec.shape.size() || part.type != whole.type || !part.slices.empty()) {
      refuse(fmt::format("a part of tensor '{}' has another type or number of dimensions", printable(key)),
             key);
    }
    for (std::size_t i = 0; i < slice.size(); ++i) {
      tile.offsets.push_back(static_cast<std::uint64_t>(slice[i].start));
      shape.push_back(slice[i].length == Extent::kAll ? spec.shape[i]
                                                      : static_cast<std::uint64_t>(slice[i].length));
    }
    if (part.shard >= index_.shards) {
      refuse(
          fmt::format("a part of tensor '{}' is in file {} of {}", printable(key), part.shard, index_.shards),
          key);
    }
    tile.tensor = tensor_of(key, part, {.name = spec.name, .dtype = spec.dtype, .shape = std::move(shape)});
    return tile;
  }

  void check_parts() const {
    if (checkpoint_.root != kWholeFile || used_.size() == index_.parts.size()) return;
    refuse(fmt::format("{} parts belong to no variable", index_.parts.size() - used_.size()));
  }

  void report_skipped() {
    if (skipped_.empty()) return;
    const auto is_string = [](const auto& item) { return item.second == kStringType; };
    const auto other = std::ranges::find_if_not(skipped_, is_string);
    const auto& first = other == skipped_.end() ? skipped_.front() : *other;
    checkpoint_.findings.push_back(
        {.severity = other == skipped_.end() ? Severity::Info : Severity::Warning,
         .code = "EntriesNotTaken",
         .message = fmt::format(
             "{} entries of types that safetensors does not have are left out ('{}', {}{})", skipped_.size(),
             printable(first.first), type_name(first.second), skipped_.size() > 1 ? "; ..." : ""),
         .subject = first.first,
         .offset = std::nullopt});
  }

  const OpenOptions& options_;
  Index index_;
  DataFiles files_;
  Checkpoint checkpoint_;
  std::map<std::string, std::string, std::less<>> names_;
  std::vector<std::pair<std::string, std::uint64_t>> skipped_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace

bool looks_like_index(const ByteSource& source) { return looks_like_table(source); }

Checkpoint read(SourcePtr index, const OpenOptions& options) { return Reader(*index, options).run(); }

}  // namespace weighbridge::tensorflow
