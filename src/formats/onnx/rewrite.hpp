// A model with other data for some of its tensors: all else is copied byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/write.hpp>

#include "formats/onnx/model.hpp"

namespace weighbridge::onnx {

/// The data of a tensor is bytes of another file.
struct Outside {
  std::string location;  ///< The plain name of a file beside the model.
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// The data of a tensor is in its raw_data.
struct Inside {
  TensorEntry entry;  ///< In the form that find_form gives.
};

/// What becomes of one tensor of a model. All that it says about itself beside its data stays as it is.
struct Replacement {
  std::size_t tensor =
      0;  ///< Position in Model::tensors. REQUIRES: neither sparse nor a list of an attribute.
  std::variant<Outside, Inside> data;
};

/// Lays the model out with the replacements in it, each tensor at most once. Pure but for reading the
/// structure of the tensors that are replaced. `file` is what `model` was parsed from. Throws Unsupported
/// when the result would have 2 GiB or more, which no parser of protocol buffers takes.
[[nodiscard]] FilePlan plan_rewritten(const SourcePtr& file, Window& window, const Model& model,
                                      const std::vector<Replacement>& replacements);

}  // namespace weighbridge::onnx
