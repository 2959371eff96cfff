// Any bytes as a joblib file: a pickle with arrays between its opcodes. Every tensor is read.
#include "every_tensor.hpp"
#include "formats/torch/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weighbridge::fuzz::read_every_tensor(std::string(reinterpret_cast<const char*>(data), size),
                                       weighbridge::torch::read_raw);
  return 0;
}
