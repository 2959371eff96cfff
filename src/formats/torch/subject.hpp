// The tensor that is being rebuilt, and the ways to refuse it: every message names it.
#pragma once

#include <string>
#include <string_view>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/error.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Borrows; lives as long as one tensor takes.
struct Subject {
  const Document& document;
  const OpenOptions& options;
  std::string name;

  [[nodiscard]] const pickle::Graph& graph() const noexcept { return document.graph; }
};

[[noreturn]] void refuse(const Subject& subject, ErrorCode code, const std::string& what);

/// MalformedCheckpoint.
[[noreturn]] void refuse(const Subject& subject, const std::string& what);

/// Unsupported: "not yet supported: <kind> (tensor 'a.b')".
[[noreturn]] void refuse_kind(const Subject& subject, std::string_view kind);

/// An integer that is not negative.
std::uint64_t parse_count(const Subject& subject, pickle::NodeId node, std::string_view what);

/// The sizes of a tuple, list or torch.Size. Throws LimitExceeded above limits.rank.
Shape parse_shape(const Subject& subject, pickle::NodeId node, std::string_view what);

/// The product of `sizes`. Throws ValidationOverflow.
std::uint64_t count_of(const Subject& subject, std::span<const std::uint64_t> sizes);

/// The product of two sizes. Throws ValidationOverflow.
std::uint64_t times(const Subject& subject, std::uint64_t a, std::uint64_t b);

/// Refuses `bytes` of output that are made from far fewer bytes of input. Throws LimitExceeded.
void check_expansion(const Subject& subject, std::span<const std::uint64_t> shape, std::uint64_t bytes,
                     std::uint64_t input_bytes);

}  // namespace weighbridge::torch
