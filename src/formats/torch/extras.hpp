// Everything in a document that is no tensor, as Extras.
#pragma once

#include <memory>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/document.hpp"
#include "formats/torch/tree.hpp"

namespace weighbridge::torch {

/// `tensors` and `optimizer` are those that were taken into the checkpoint by `options`; others are described
/// in place.
std::shared_ptr<const Extras> make_extras(std::shared_ptr<const Document> document,
                                          const std::vector<NamedTensor>& tensors,
                                          const std::vector<NamedTensor>& optimizer,
                                          const OpenOptions& options);

}  // namespace weighbridge::torch
