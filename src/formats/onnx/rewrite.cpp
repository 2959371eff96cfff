#include "formats/onnx/rewrite.hpp"

#include <algorithm>
#include <utility>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "formats/onnx/pieces.hpp"

namespace weighbridge::onnx {
namespace {

/// The most that parsers of protocol buffers take.
constexpr std::uint64_t kMostBytes = INT32_MAX;

bool holds_data(std::uint32_t field) {
  using namespace tensor_field;
  return field == kFloatData || field == kInt32Data || field == kStringData || field == kInt64Data ||
         field == kRawData || field == kDoubleData || field == kUint64Data || field == kExternalData ||
         field == kDataLocation;
}

/// What a tensor says about itself beside its data, as it stands in the file.
void add_description(Window& window, Extent message, Pieces& pieces) {
  FieldReader reader(window, message);
  while (const auto field = reader.next()) {
    if (!holds_data(field->number)) pieces.add_file({.begin = field->begin, .end = field->content.end});
  }
}

void add_entry(Pieces& pieces, std::string_view key, std::string_view value) {
  const std::string entry = bytes_field(1, key) + bytes_field(2, value);
  pieces.add_text(bytes_field(tensor_field::kExternalData, entry));
}

void add_data(const Outside& data, Pieces& pieces) {
  add_entry(pieces, "location", data.location);
  add_entry(pieces, "offset", fmt::to_string(data.offset));
  add_entry(pieces, "length", fmt::to_string(data.length));
  pieces.add_text(number_field(tensor_field::kDataLocation, 1));
}

void add_data(const Inside& data, Pieces& pieces) {
  const ByteRuns runs = tensor_runs(data.entry);
  pieces.add_text(bytes_field_head(tensor_field::kRawData, runs.total_bytes));
  pieces.add_tensor(data.entry, runs);
}

/// A stretch of the file and what comes in its place.
struct Edit {
  Extent place;
  Pieces pieces;
};

class Rewriter {
 public:
  Rewriter(const SourcePtr& file, Window& window, const Model& model)
      : file_(file), window_(window), model_(model), growth_(model.enclosures.size(), 0) {}

  FilePlan run(const std::vector<Replacement>& replacements) {
    for (const Replacement& replacement : replacements) replace(replacement);
    for (std::size_t i = model_.enclosures.size(); i-- > 1;) measure_again(i);
    std::ranges::sort(edits_, {}, [](const Edit& edit) { return edit.place.begin; });
    return join();
  }

 private:
  void replace(const Replacement& replacement) {
    const Tensor& tensor = model_.tensors[replacement.tensor];
    Pieces message;
    add_description(window_, tensor.proto.message, message);
    std::visit([&](const auto& data) { add_data(data, message); }, replacement.data);
    Pieces field;
    field.add_text(bytes_field_head(number_of(tensor), message.size()));
    field.add(std::move(message));
    add_edit(tensor.enclosure, tensor.field, std::move(field));
  }

  std::uint32_t number_of(const Tensor& tensor) {
    std::uint64_t at = tensor.field.begin;
    return static_cast<std::uint32_t>(read_varint(window_, at, tensor.field.end) >> 3);
  }

  /// A message in which something changed its size gets another length.
  void measure_again(std::size_t number) {
    if (growth_[number] == 0) return;
    const Enclosure& enclosure = model_.enclosures[number];
    const std::uint64_t size = enclosure.field.end - enclosure.content + growth_[number];
    Pieces head;
    head.add_text(bytes_field_head(enclosure.number, size));
    growth_[enclosure.parent] += growth_[number];
    add_edit(enclosure.parent, {.begin = enclosure.field.begin, .end = enclosure.content}, std::move(head));
  }

  /// Growth may be negative: unsigned numbers wrap, and come out right again where they are added up.
  void add_edit(std::uint32_t parent, Extent place, Pieces pieces) {
    growth_[parent] += pieces.size() - place.size();
    edits_.push_back({.place = place, .pieces = std::move(pieces)});
  }

  FilePlan join() {
    Pieces whole;
    std::uint64_t at = 0;
    for (Edit& edit : edits_) {
      whole.add_file({.begin = at, .end = edit.place.begin});
      whole.add(std::move(edit.pieces));
      at = edit.place.end;
    }
    whole.add_file({.begin = at, .end = window_.size()});
    if (whole.size() > kMostBytes) {
      throw Error(
          ErrorCode::Unsupported,
          fmt::format("the ONNX file would have {} bytes, and no runtime reads one of more than {}; write "
                      "its data to a file of its own (--external)",
                      whole.size(), kMostBytes));
    }
    return std::move(whole).to_plan(file_);
  }

  const SourcePtr& file_;
  Window& window_;
  const Model& model_;
  std::vector<std::uint64_t> growth_;  ///< Of the content of each enclosure.
  std::vector<Edit> edits_;
};

}  // namespace

FilePlan plan_rewritten(const SourcePtr& file, Window& window, const Model& model,
                        const std::vector<Replacement>& replacements) {
  return Rewriter(file, window, model).run(replacements);
}

}  // namespace weighbridge::onnx
