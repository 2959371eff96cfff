// Any bytes as an .npz file, read and written again as one.
#include <weighbridge/write.hpp>

#include "every_tensor.hpp"
#include "formats/numpy/write.hpp"
#include "formats/torch/read.hpp"

namespace {

bool fits(const weighbridge::TensorEntry& entry) {
  return !weighbridge::numpy::find_descr(entry.spec.dtype).empty() &&
         weighbridge::tensor_runs(entry).total_bytes <= weighbridge::fuzz::kMostBytes;
}

/// What was read and fits numpy must come back under the same names.
void write_again(const weighbridge::Checkpoint& checkpoint) {
  for (const auto& entry : checkpoint.tensors) {
    if (!fits(entry)) return;
  }
  try {
    const auto plan = weighbridge::numpy::plan_npz(checkpoint.tensors);
    std::string bytes(plan.total_bytes, '\0');
    weighbridge::write_memory(plan, std::as_writable_bytes(std::span(bytes)));
    const auto again = weighbridge::fuzz::read_structure(std::move(bytes), weighbridge::torch::read_npz);
    if (!again || again->tensors.size() != checkpoint.tensors.size()) __builtin_trap();
  } catch (const weighbridge::Error& error) {
    if (error.code() != weighbridge::ErrorCode::Unsupported)
      __builtin_trap();  // a name that no entry can have
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto source = weighbridge::memory_source(weighbridge::Buffer::take(bytes));
  if (!weighbridge::torch::looks_like_npz(*source)) return 0;
  const auto checkpoint = weighbridge::fuzz::read_structure(bytes, weighbridge::torch::read_npz);
  if (!checkpoint || checkpoint->tensors.empty()) return 0;
  try {
    for (const auto& tensor : checkpoint->tensors) weighbridge::fuzz::read_tensor(tensor);
  } catch (const weighbridge::Error&) {
    return 0;  // a deflated entry that is damaged, or longer than it says
  }
  write_again(*checkpoint);
  return 0;
}
