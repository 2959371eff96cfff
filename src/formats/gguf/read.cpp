#include "formats/gguf/read.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/gguf/block_source.hpp"
#include "formats/gguf/extras.hpp"
#include "formats/gguf/raw.hpp"
#include "formats/gguf/split.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::string_view kWholeFile = ".";

Transform swap_of(const TensorType& type) {
  constexpr std::array kSwaps = {Transform::None, Transform::Swap2, Transform::Swap4, Transform::Swap8};
  return kSwaps[static_cast<std::size_t>(std::countr_zero(type.bytes))];
}

void check_byte_order(const TensorRecord& tensor) {
  if (tensor.type->big_endian != BigEndian::Unknown) return;
  throw Error(ErrorCode::Unsupported,
              fmt::format("tensor '{}': no tool writes blocks of type {} with the high byte first, so nobody "
                          "has said what they look like",
                          printable(tensor.name), tensor.type->name),
              tensor.name);
}

std::optional<DType> wanted_dtype(const OpenOptions& options) {
  if (options.dequantize || options.quantized != QuantizedPolicy::Dequantize) return options.dequantize;
  return DType::F32;
}

void check_wanted(const std::optional<DType>& dtype) {
  if (!dtype || *dtype == DType::F32 || *dtype == DType::F16 || *dtype == DType::BF16) return;
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("blocks can be dequantised to F32, F16 and BF16, not to {}", dtype_name(*dtype)));
}

class Joiner {
 public:
  Joiner(std::vector<Part> parts, const OpenOptions& options)
      : parts_(std::move(parts)), dtype_(wanted_dtype(options)) {
    check_wanted(dtype_);
    checkpoint_.format = "gguf";
    checkpoint_.root = options.key.value_or(std::string(kWholeFile));
    checkpoint_.metadata.emplace().emplace("format", "gguf");
  }

  Checkpoint run() {
    for (std::size_t i = 0; i < parts_.size(); ++i) add_part(static_cast<std::uint32_t>(i));
    check_names();
    report_raw();
    if (checkpoint_.tensors.empty() && checkpoint_.root != kWholeFile) {
      throw Error(ErrorCode::NoTensors,
                  fmt::format("no tensor is named '{0}' or starts with '{0}.'", printable(checkpoint_.root)),
                  checkpoint_.root);
    }
    checkpoint_.candidates.push_back({checkpoint_.root, checkpoint_.tensors.size()});
    add_pairs();
    return std::move(checkpoint_);
  }

 private:
  void add_part(std::uint32_t number) {
    const Part& part = parts_[number];
    checkpoint_.source_bytes += part.source->size();
    if (parts_.size() > 1) checkpoint_.shards.push_back(part.name);
    for (const TensorRecord& tensor : part.header.tensors) {
      names_.push_back(tensor.name);
      if (const auto name = select(tensor.name)) add_tensor(part, tensor, std::string(*name), number);
    }
    report_trailing(part);
  }

  std::optional<std::string_view> select(std::string_view name) const {
    const std::string& key = checkpoint_.root;
    if (key == kWholeFile || name == key) return name;
    if (!name.starts_with(key) || name[key.size()] != '.') return std::nullopt;
    return name.substr(key.size() + 1);
  }

  void add_tensor(const Part& part, const TensorRecord& tensor, std::string name, std::uint32_t shard) {
    TensorEntry entry{.spec = {.name = std::move(name), .dtype = DType::U8, .shape = tensor.shape},
                      .data = {.source = part.source, .offset = tensor.offset},
                      .shard = shard};
    if (tensor.type->dtype) {
      entry.spec.dtype = *tensor.type->dtype;
      if (part.header.big_endian) entry.data.transform = swap_of(*tensor.type);
    } else {
      add_blocks(part, tensor, entry);
    }
    checkpoint_.tensors.push_back(std::move(entry));
  }

  void add_blocks(const Part& part, const TensorRecord& tensor, TensorEntry& entry) {
    const TensorType& type = *tensor.type;
    const bool big_endian = part.header.big_endian;
    if (big_endian) check_byte_order(tensor);
    const StoredBlocks blocks{.source = part.source,
                              .offset = tensor.offset,
                              .count = tensor.bytes / type.bytes,
                              .type = &type,
                              .big_endian = big_endian};
    if (dtype_ && type.decode != nullptr) {
      entry.spec.dtype = *dtype_;
      entry.data = {.source = block_source(blocks, dtype_)};
      return;
    }
    if (dtype_) raw_.push_back(&tensor);
    if (big_endian) entry.data = {.source = block_source(blocks, std::nullopt)};
    entry.spec.shape = raw_shape(type, tensor.shape);
    note_raw(*checkpoint_.metadata, entry.spec.name, type, tensor.shape);
  }

  void check_names() const {
    if (parts_.size() == 1) return;  // unique within a file already
    std::vector<std::string_view> names(names_.begin(), names_.end());
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice == names.end()) return;
    throw Error(ErrorCode::NameCollision,
                fmt::format("tensor '{}' is in two parts of the model", printable(*twice)),
                std::string(*twice));
  }

  void report_trailing(const Part& part) {
    const std::uint64_t size = part.source->size();
    if (size <= part.header.end) return;
    checkpoint_.findings.push_back(
        {.severity = Severity::Warning,
         .code = "TrailingBytes",
         .message = fmt::format("{}{} bytes behind the last tensor are ignored",
                                part.name.empty() ? "" : fmt::format("part '{}': ", printable(part.name)),
                                size - part.header.end),
         .subject = part.name,
         .offset = part.header.end});
  }

  void report_raw() {
    if (raw_.empty()) return;
    checkpoint_.findings.push_back(
        {.severity = Severity::Warning,
         .code = "NotDequantized",
         .message = fmt::format("{} tensors stay as they are, for their types have no published rule ('{}', "
                                "{}{})",
                                raw_.size(), printable(raw_.front()->name), raw_.front()->type->name,
                                raw_.size() > 1 ? "; ..." : ""),
         .subject = raw_.front()->name,
         .offset = std::nullopt});
  }

  void add_pairs() {
    std::vector<StoredPair> pairs = join_pairs(parts_, checkpoint_.findings);
    const auto is_architecture = [](const StoredPair& stored) { return stored.pair.key == kArchitecture; };
    if (const auto found = std::ranges::find_if(pairs, is_architecture); found != pairs.end()) {
      if (auto text = read_text(*found)) {
        checkpoint_.metadata->emplace(kArchitecture, std::move(*text));
      }
    }
    checkpoint_.extras = make_extras(std::move(pairs), std::move(names_));
  }

  std::vector<Part> parts_;
  std::optional<DType> dtype_;
  Checkpoint checkpoint_;
  std::vector<std::string> names_;
  std::vector<const TensorRecord*> raw_;  ///< Those that should not have stayed so.
};

}  // namespace

bool looks_like_gguf(const ByteSource& source) {
  std::array<char, kMagic.size()> head{};
  if (source.size() < head.size()) return false;
  source.read_at(0, std::as_writable_bytes(std::span(head)));
  return std::ranges::equal(head, kMagic);
}

Checkpoint read(SourcePtr source, const OpenOptions& options) {
  Part given{.source = source, .header = parse_file_header(*source, options.limits)};
  return Joiner(find_parts(std::move(given), options), options).run();
}

}  // namespace weighbridge::gguf
