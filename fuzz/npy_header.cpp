// Any bytes behind the magic bytes of an .npy file: the header, and the array that it describes.
#include "every_tensor.hpp"
#include "formats/torch/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes = "\x93NUMPY";
  bytes.append(reinterpret_cast<const char*>(data), size);
  weighbridge::fuzz::read_every_tensor(std::move(bytes), weighbridge::torch::read_npy);
  return 0;
}
