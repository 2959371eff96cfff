#include "formats/torch/index_reader.hpp"

#include <algorithm>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::uint64_t kWindowBytes = 64 * 1024;

}  // namespace

std::uint64_t IndexReader::next_below(std::uint64_t end) {
  const std::int64_t index = next();
  if (index < 0 || static_cast<std::uint64_t>(index) >= end) {
    refuse_last(index, end == 0 ? "no index" : fmt::format("0 to {}", end - 1));
  }
  return static_cast<std::uint64_t>(index);
}

std::uint64_t IndexReader::next_within(std::uint64_t first, std::uint64_t last) {
  const std::int64_t index = next();
  if (index < 0 || static_cast<std::uint64_t>(index) < first || static_cast<std::uint64_t>(index) > last) {
    refuse_last(index, first == last ? fmt::to_string(first) : fmt::format("{} to {}", first, last));
  }
  return static_cast<std::uint64_t>(index);
}

std::int64_t IndexReader::next() {
  const std::size_t width = narrow_ ? 4 : 8;
  if (at_ == window_.size()) {
    const std::uint64_t left = content_.elements() - position_;
    window_.resize(std::min(left * width, kWindowBytes));
    content_.read(position_, window_);
    at_ = 0;
  }
  const std::byte* bytes = window_.data() + at_;
  at_ += width;
  ++position_;
  return narrow_ ? load_le<std::int32_t>(bytes) : load_le<std::int64_t>(bytes);
}

void IndexReader::refuse_last(std::int64_t found, const std::string& needed) const {
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("tensor '{}': {} {} is {}, {} needed", printable(tensor_), what_, position_ - 1,
                          found, needed),
              tensor_);
}

}  // namespace weighbridge::torch
