#include "formats/onnx/pieces.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weighbridge::onnx {
namespace {

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
  return out;
}

ByteRuns run_of(std::uint64_t offset, std::uint64_t bytes) {
  return {.offset = offset, .run_bytes = bytes, .loops = {}, .total_bytes = bytes};
}

/// Where a piece of our own lies among all of them.
struct OwnBytes {
  std::string bytes;
  std::vector<std::size_t> steps;  ///< That read them, once they have a source.
};

}  // namespace

void Pieces::add_file(Extent extent) {
  if (extent.size() == 0) return;
  size_ += extent.size();
  Extent* last = pieces_.empty() ? nullptr : std::get_if<Extent>(&pieces_.back());
  if (last != nullptr && last->end == extent.begin) {
    last->end = extent.end;
  } else {
    pieces_.emplace_back(extent);
  }
}

void Pieces::add_text(std::string_view text) {
  if (text.empty()) return;
  size_ += text.size();
  std::string* last = pieces_.empty() ? nullptr : std::get_if<std::string>(&pieces_.back());
  if (last != nullptr) {
    *last += text;
  } else {
    pieces_.emplace_back(std::string(text));
  }
}

void Pieces::add_tensor(const TensorEntry& entry, const ByteRuns& runs) {
  if (runs.total_bytes == 0) return;
  size_ += runs.total_bytes;
  pieces_.emplace_back(Content{.entry = entry, .runs = runs});
}

void Pieces::add(Pieces pieces) {
  for (Piece& piece : pieces.pieces_) {
    if (const auto* extent = std::get_if<Extent>(&piece)) {
      add_file(*extent);
    } else if (const auto* text = std::get_if<std::string>(&piece)) {
      add_text(*text);
    } else {
      size_ += std::get<Content>(piece).runs.total_bytes;
      pieces_.push_back(std::move(piece));
    }
  }
}

FilePlan Pieces::to_plan(const SourcePtr& file) && {
  FilePlan plan;
  plan.total_bytes = size_;
  OwnBytes own;
  std::uint64_t at = 0;
  for (Piece& piece : pieces_) {
    CopyStep step{.name = "model", .source = file, .runs = {}, .destination = at};
    if (const auto* extent = std::get_if<Extent>(&piece)) {
      step.runs = run_of(extent->begin, extent->size());
    } else if (const auto* text = std::get_if<std::string>(&piece)) {
      step.runs = run_of(own.bytes.size(), text->size());
      own.bytes += *text;
      own.steps.push_back(plan.steps.size());
    } else {
      Content& content = std::get<Content>(piece);
      step.name = content.entry.spec.name;
      step.source = content.entry.data.source;
      step.runs = std::move(content.runs);
      step.transform = content.entry.data.transform;
    }
    at += step.runs.total_bytes;
    plan.steps.push_back(std::move(step));
  }
  const SourcePtr bytes = memory_source(Buffer::take(std::move(own.bytes)));
  for (const std::size_t step : own.steps) plan.steps[step].source = bytes;
  return plan;
}

std::string bytes_field_head(std::uint32_t number, std::uint64_t length) {
  return varint(std::uint64_t{number} << 3 | static_cast<std::uint64_t>(Wire::Bytes)) + varint(length);
}

std::string bytes_field(std::uint32_t number, std::string_view content) {
  return bytes_field_head(number, content.size()) + std::string(content);
}

std::string number_field(std::uint32_t number, std::uint64_t value) {
  return varint(std::uint64_t{number} << 3) + varint(value);
}

}  // namespace weighbridge::onnx
