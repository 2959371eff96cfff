// Zip archives that hold several checkpoints: packages, and zips of zips.
#pragma once

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/zip_layout.hpp"

namespace weighbridge::torch {

/// A torch.package: every resource `<folder>/<name>.pkl` is a checkpoint with the prefix
/// `<folder>.<name>`, every script module one with `ts_code.<n>`. Code is never looked at.
Checkpoint read_package(const zip::Archive& archive, const ZipLayout& layout, const OpenOptions& options);

/// A zip of stable-baselines3: `policy.pth` is the model; the other `.pth` entries are the state of
/// optimizers and variables of the training, and taken as OpenOptions::optimizer says. `data`, JSON
/// around pickles, is never decoded.
Checkpoint read_policies(const zip::Archive& archive, const OpenOptions& options);

}  // namespace weighbridge::torch
