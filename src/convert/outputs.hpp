// From a checkpoint to the files that it becomes. Pure but for outputs of formats Torch and Gguf, whose
// sidecar is read beside the input.
#pragma once

#include <string>
#include <vector>

#include <weighbridge/convert.hpp>

namespace weighbridge {

/// The optimizer's part as a checkpoint of its own, tied tensors stored once. Empties the part.
Checkpoint take_optimizer(Checkpoint& checkpoint, SharedPolicy shared);

/// safetensors: one file or shards with their index, the optimizer's file, the sidecar.
/// Takes the optimizer's part and adds findings.
std::vector<OutputFile> plan_safetensors_files(Checkpoint& checkpoint, const std::string& output,
                                               const ConvertOptions& options);

/// A model of ONNX made from options.template_file, and with options.external_data the safetensors file
/// beside it.
std::vector<OutputFile> plan_onnx_files(Checkpoint& checkpoint, const std::string& output,
                                        const ConvertOptions& options);

/// One archive of arrays, or one array, for numpy. Adds findings.
std::vector<OutputFile> plan_npz_files(Checkpoint& checkpoint, const std::string& output,
                                       const ConvertOptions& options);
std::vector<OutputFile> plan_npy_files(Checkpoint& checkpoint, const std::string& output,
                                       const ConvertOptions& options);

/// One archive for torch.load().
std::vector<OutputFile> plan_torch_files(Checkpoint& checkpoint, const std::string& output,
                                         const ConvertOptions& options);

/// One GGUF file.
std::vector<OutputFile> plan_gguf_files(Checkpoint& checkpoint, const std::string& output,
                                        const ConvertOptions& options);

/// options.template_file with the weights of the checkpoint; a new HDF5 file without one. Adds findings.
std::vector<OutputFile> plan_filled_files(Checkpoint& checkpoint, const std::string& output,
                                          const ConvertOptions& options);

}  // namespace weighbridge
