// What a model says about itself beside its tensors.
#pragma once

#include <memory>

#include <weighbridge/checkpoint.hpp>

#include "formats/onnx/model.hpp"
#include "formats/onnx/wire.hpp"

namespace weighbridge::onnx {

/// Takes up a field of ModelProto that is neither the graph nor functions.
void note_model_field(Window& window, const Field& field, const Limits& limits, Facts& facts);

/// Takes up the name, inputs and outputs of the graph in `field`.
void note_graph(Window& window, const Field& field, const Limits& limits, Facts& facts);

/// The facts, and the tensors that were not taken, as extras of a checkpoint.
[[nodiscard]] std::shared_ptr<const Extras> make_extras(SourcePtr source, Facts facts,
                                                        std::vector<ExtraItem> not_taken);

}  // namespace weighbridge::onnx
