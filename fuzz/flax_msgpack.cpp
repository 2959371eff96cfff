// Any bytes as a checkpoint of flax.
#include "every_tensor.hpp"
#include "formats/flax/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto source = weighbridge::memory_source(weighbridge::Buffer::take(bytes));
  static_cast<void>(weighbridge::flax::looks_like_flax(*source));
  weighbridge::fuzz::read_every_tensor(bytes, weighbridge::flax::read);
  return 0;
}
