// Reads the indices of a sparse tensor one after another, and lets none through that is out of range.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/torch/operand.hpp"

namespace weighbridge::torch {

/// All functions throw MalformedCheckpoint for an index that is not what was asked for, naming the
/// tensor, the index and its position. REQUIRES: no more calls than there are indices.
class IndexReader {
 public:
  /// `what` names one index in errors. The content must outlive the reader.
  IndexReader(const Content& content, bool narrow, const std::string& tensor, std::string_view what)
      : content_(content), narrow_(narrow), tensor_(tensor), what_(what) {}

  /// The next index, which is at least 0 and below `end`.
  std::uint64_t next_below(std::uint64_t end);
  /// The next index, which lies in [first, last].
  std::uint64_t next_within(std::uint64_t first, std::uint64_t last);
  std::uint64_t next_exactly(std::uint64_t wanted) { return next_within(wanted, wanted); }

 private:
  std::int64_t next();
  [[noreturn]] void refuse_last(std::int64_t found, const std::string& needed) const;

  const Content& content_;
  bool narrow_;
  const std::string& tensor_;
  std::string_view what_;
  std::vector<std::byte> window_;
  std::size_t at_ = 0;          ///< In the window.
  std::uint64_t position_ = 0;  ///< Of the next index.
};

}  // namespace weighbridge::torch
