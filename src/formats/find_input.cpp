// Which of a folder's files is the checkpoint.
#include <array>

#include <weighbridge/error.hpp>
#include <weighbridge/folder.hpp>

namespace weighbridge {
namespace {

/// Distributed checkpoints, then as transformers looks: safetensors first, shards before a single file.
constexpr std::array<std::string_view, 6> kNames = {
    ".metadata",
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
    "model.safetensors",
    "pytorch_model.bin",
    "variables.index",
};

}  // namespace

FoundInput find_input(const InputFolder& folder) {
  for (const std::string_view name : kNames) {
    if (SourcePtr source = folder.find(name, Links::Follow)) return {std::string(name), std::move(source)};
  }
  throw Error(
      ErrorCode::UnknownFormat,
      "this is a folder without .metadata, model.safetensors, pytorch_model.bin or an index of these");
}

}  // namespace weighbridge
