#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge {
namespace {

TensorEntry borrow(const TensorView& view) {
  const std::uint64_t needed = byte_size(view.dtype, view.shape);
  if (needed != view.bytes.size()) {
    throw Error(ErrorCode::TensorInvalidInfo,
                fmt::format("tensor '{}': {} bytes were given, {} {} needs {}", printable(view.name),
                            view.bytes.size(), dtype_name(view.dtype), shape_text(view.shape), needed),
                std::string(view.name));
  }
  return {.spec = {.name = std::string(view.name),
                   .dtype = view.dtype,
                   .shape = Shape(view.shape.begin(), view.shape.end())},
          .data = {.source = memory_source(Buffer(view.bytes, nullptr))}};
}

}  // namespace

WriteReport save_tensors(std::span<const TensorView> tensors, const std::filesystem::path& path,
                         const std::optional<Metadata>& metadata, const HeaderStyle& style,
                         const WriteOptions& options) {
  Checkpoint checkpoint;
  checkpoint.format = "memory";
  checkpoint.metadata = metadata;
  checkpoint.tensors.reserve(tensors.size());
  for (const TensorView& view : tensors) {
    checkpoint.tensors.push_back(borrow(view));
    checkpoint.source_bytes += view.bytes.size();
  }
  return write_file(plan_safetensors(checkpoint, style), path, options);
}

}  // namespace weighbridge
