// One tensor, or a slice of one, ready to be copied out.
#pragma once

#include <optional>
#include <string>

#include <weighbridge/checkpoint.hpp>

#include "cli/options.hpp"

namespace weighbridge::cli {

struct Selection {
  std::string name;
  DType dtype = DType::F32;
  Shape shape;  ///< Of the slice.
  SourcePtr source;
  ByteRuns runs;  ///< Absolute in `source`.
  Transform transform = Transform::None;
};

/// What a verb that copies one tensor is asked for.
struct TensorRequest {
  std::string tensor;                ///< A name, or name[slice]; a tensor of that very name wins.
  std::optional<std::string> slice;  ///< A slice by itself.
  bool allow_dangerous = false;
};

/// FILE, TENSOR, --key, --slice and --allow-dangerous.
void add_request(CLI::App& app, Input& input, TensorRequest& request);

/// Reads the structure of the input and finds the tensor. Throws DangerousContent, TensorNotFound, and
/// what parse_slice and plan_slice throw.
Selection open_selection(const Input& input, const TensorRequest& request, WorkerFiles& files);

}  // namespace weighbridge::cli
