#include "formats/gguf/plan.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "core/output_limit.hpp"
#include "formats/gguf/header.hpp"
#include "formats/gguf/quantize.hpp"
#include "formats/gguf/raw.hpp"

namespace weighbridge::gguf {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::uint32_t kVersion = 3;
constexpr std::string_view kAlignment = "general.alignment";
constexpr std::string_view kQuantization = "general.quantization_version";
constexpr std::uint32_t kQuantizationVersion = 2;

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw Error(ErrorCode::Unsupported, fmt::format("tensor '{}' {}", printable(name), what), name);
}

/// A tensor on its way into the file.
struct Output {
  std::string name;
  const TensorType* type = nullptr;
  Shape shape;
  SourcePtr source;
  ByteRuns runs;
  Transform transform = Transform::None;
};

Output as_it_is(const TensorEntry& entry, const TensorType& type, Shape shape) {
  return {.name = entry.spec.name,
          .type = &type,
          .shape = std::move(shape),
          .source = entry.data.source,
          .runs = tensor_runs(entry),
          .transform = entry.data.transform};
}

Output as_blocks(const TensorEntry& entry) {
  SourcePtr source = quantized_source(entry);
  const std::uint64_t bytes = source->size();
  return {.name = entry.spec.name,
          .type = find_tensor_type("Q8_0"),
          .shape = entry.spec.shape,
          .source = std::move(source),
          .runs = {.offset = 0, .run_bytes = bytes, .loops = {}, .total_bytes = bytes}};
}

void check_shape(const Output& output) {
  if (output.name.size() > kLongestName) {
    refuse(output.name,
           fmt::format("has a name of {} bytes; GGUF's longest have {}", output.name.size(), kLongestName));
  }
  if (output.shape.size() > kMostDimensions) {
    refuse(output.name,
           fmt::format("has {} dimensions; in GGUF {} are possible", output.shape.size(), kMostDimensions));
  }
}

class Planner {
 public:
  Planner(const Checkpoint& checkpoint, Content content, bool quantize, const Limits& limits,
          Findings& findings)
      : checkpoint_(checkpoint),
        content_(std::move(content)),
        quantize_(quantize),
        limits_(limits),
        findings_(findings) {}

  FilePlan run() {
    std::vector<Output> outputs;
    for (const std::size_t i : order_tensors()) outputs.push_back(make_output(checkpoint_.tensors[i]));
    complete_pairs(outputs);
    find_alignment();
    FilePlan plan = lay_out(outputs);
    check_output_size(plan.total_bytes, checkpoint_, limits_);
    report_left();
    return plan;
  }

 private:
  std::vector<std::size_t> order_tensors() const {
    std::map<std::string_view, std::size_t> wanted;
    for (const std::string& name : content_.order) wanted.emplace(name, wanted.size());
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (std::size_t i = 0; i < checkpoint_.tensors.size(); ++i) {
      const auto found = wanted.find(checkpoint_.tensors[i].spec.name);
      places.emplace_back(found == wanted.end() ? SIZE_MAX : found->second, i);
    }
    std::ranges::sort(places);
    std::vector<std::size_t> order;
    order.reserve(places.size());
    for (const auto& [place, i] : places) order.push_back(i);
    return order;
  }

  Output make_output(const TensorEntry& entry) {
    Output output = choose_output(entry);
    check_shape(output);
    return output;
  }

  Output choose_output(const TensorEntry& entry) {
    if (auto raw = find_raw(checkpoint_.metadata, entry.spec)) {
      return as_it_is(entry, *raw->type, std::move(raw->shape));
    }
    if (quantize_ && can_quantize(entry.spec)) return as_blocks(entry);
    if (quantize_) left_.push_back(entry.spec.name);
    const TensorType* const type = find_tensor_type(entry.spec.dtype);
    if (type == nullptr) {
      refuse(
          entry.spec.name,
          fmt::format("is {}, for which GGUF has no type; it has F16, BF16, F32, F64, I8, I16, I32 and I64",
                      dtype_name(entry.spec.dtype)));
    }
    return as_it_is(entry, *type, entry.spec.shape);
  }

  bool has_pair(std::string_view key) const {
    return std::ranges::find(content_.pairs, key, &EncodedPair::key) != content_.pairs.end();
  }

  void complete_pairs(const std::vector<Output>& outputs) {
    if (!has_pair(kArchitecture)) {
      const auto known =
          checkpoint_.metadata ? checkpoint_.metadata->find(kArchitecture) : Metadata::iterator();
      if (!checkpoint_.metadata || known == checkpoint_.metadata->end()) {
        throw Error(ErrorCode::InvalidArgument,
                    "GGUF names the architecture of a model, which is not known here; say it with --kv "
                    "general.architecture=str:NAME");
      }
      content_.pairs.insert(content_.pairs.begin(), encode_text(kArchitecture, known->second));
    }
    const auto is_q8 = [](const Output& output) { return output.type->name == "Q8_0"; };
    if (quantize_ && std::ranges::any_of(outputs, is_q8) && !has_pair(kQuantization)) {
      content_.pairs.push_back(encode_u32(kQuantization, kQuantizationVersion));
    }
  }

  void find_alignment() {
    const auto found = std::ranges::find(content_.pairs, kAlignment, &EncodedPair::key);
    if (found == content_.pairs.end()) return;
    const auto value = find_u32(*found);
    if (!value || !std::has_single_bit(*value) || *value > kLargestAlignment) {
      throw Error(
          ErrorCode::MalformedCheckpoint,
          fmt::format("general.alignment must be a u32 and a power of two up to {}", kLargestAlignment),
          std::string(kAlignment));
    }
    alignment_ = *value;
  }

  std::uint64_t padding(std::uint64_t at) const { return (alignment_ - at % alignment_) % alignment_; }

  std::string head_of(const std::vector<Output>& outputs) const {
    std::string head(kMagic);
    append_number(head, kVersion);
    append_number(head, std::uint64_t{outputs.size()});
    append_number(head, std::uint64_t{content_.pairs.size()});
    for (const EncodedPair& pair : content_.pairs) {
      append_text(head, pair.key);
      head += pair.bytes;
    }
    std::uint64_t offset = 0;
    for (const Output& output : outputs) {
      append_text(head, output.name);
      append_number(head, static_cast<std::uint32_t>(output.shape.size()));
      for (std::size_t i = output.shape.size(); i-- > 0;) append_number(head, output.shape[i]);
      append_number(head, output.type->id);
      append_number(head, offset);
      const auto end = checked_add(offset, output.runs.total_bytes);
      const auto next = end ? checked_add(*end, padding(*end)) : std::nullopt;
      if (!next) throw Error(ErrorCode::ValidationOverflow, "the file would not fit 64 bits");
      offset = *next;
    }
    head.append(padding(head.size()), '\0');
    return head;
  }

  FilePlan lay_out(std::vector<Output>& outputs) const {
    FilePlan plan{.head = head_of(outputs), .steps = {}, .total_bytes = 0};
    const SourcePtr zeros = memory_source(Buffer::take(std::string(alignment_, '\0')));
    std::uint64_t at = plan.head.size();
    for (Output& output : outputs) {
      const std::uint64_t bytes = output.runs.total_bytes;
      if (bytes == 0) continue;
      plan.steps.push_back({.name = std::move(output.name),
                            .source = std::move(output.source),
                            .runs = std::move(output.runs),
                            .transform = output.transform,
                            .destination = at});
      at += bytes;
      const std::uint64_t zero_bytes = padding(at);
      if (zero_bytes == 0) continue;
      plan.steps.push_back(
          {.name = "(padding)",
           .source = zeros,
           .runs = {.offset = 0, .run_bytes = zero_bytes, .loops = {}, .total_bytes = zero_bytes},
           .destination = at});
      at += zero_bytes;
    }
    plan.total_bytes = at;
    return plan;
  }

  void report_left() {
    if (left_.empty()) return;
    findings_.push_back({.severity = Severity::Info,
                         .code = "NotQuantized",
                         .message = fmt::format(
                             "{} tensors stay as they are: they are not floating-point, have fewer than two "
                             "dimensions or rows of no whole blocks ('{}'{})",
                             left_.size(), printable(left_.front()), left_.size() > 1 ? ", ..." : ""),
                         .subject = left_.front(),
                         .offset = std::nullopt});
  }

  const Checkpoint& checkpoint_;
  Content content_;
  bool quantize_;
  const Limits& limits_;
  Findings& findings_;
  std::uint32_t alignment_ = kDefaultAlignment;
  std::vector<std::string> left_;
};

}  // namespace

void set_pair(std::vector<EncodedPair>& pairs, EncodedPair pair) {
  const auto found = std::ranges::find(pairs, pair.key, &EncodedPair::key);
  if (found == pairs.end()) {
    pairs.push_back(std::move(pair));
  } else {
    *found = std::move(pair);
  }
}

FilePlan plan_gguf(const Checkpoint& checkpoint, Content content, bool quantize, const Limits& limits,
                   Findings& findings) {
  return Planner(checkpoint, std::move(content), quantize, limits, findings).run();
}

}  // namespace weighbridge::gguf
