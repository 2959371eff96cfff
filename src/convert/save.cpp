#include <vector>

#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge {
namespace {

BorrowedTensor borrow(const TensorView& view) {
  const std::uint64_t needed = byte_size(view.dtype, view.shape);
  if (needed != view.bytes.size()) {
    throw Error(ErrorCode::TensorInvalidInfo,
                fmt::format("tensor '{}': {} bytes were given, {} {} needs {}", printable(view.name),
                            view.bytes.size(), dtype_name(view.dtype), shape_text(view.shape), needed),
                std::string(view.name));
  }
  return {.name = view.name, .dtype = view.dtype, .shape = view.shape, .first = view.bytes.data()};
}

}  // namespace

WriteReport save_tensors(std::span<const TensorView> tensors, const std::filesystem::path& path,
                         const std::optional<Metadata>& metadata, const HeaderStyle& style,
                         const WriteOptions& options) {
  std::vector<BorrowedTensor> borrowed;
  borrowed.reserve(tensors.size());
  for (const TensorView& view : tensors) borrowed.push_back(borrow(view));
  return write_file(plan_tensors(borrowed, metadata, style), path, options);
}

}  // namespace weighbridge
