#include <algorithm>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge {

Extras::~Extras() = default;

const TensorEntry* Checkpoint::find(std::string_view name) const& noexcept {
  const auto found =
      std::ranges::find_if(tensors, [name](const TensorEntry& entry) { return entry.spec.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

ByteRuns tensor_runs(const TensorEntry& entry) {
  ByteRuns runs = plan_runs(entry.spec.dtype, entry.spec.shape, entry.data.strides);
  runs.offset += entry.data.offset;
  return runs;
}

}  // namespace weighbridge
