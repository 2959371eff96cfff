// Any bytes behind the magic bytes of a GGUF file: its pairs, its tensors as they are and as numbers.
#include "every_tensor.hpp"
#include "formats/gguf/read.hpp"

namespace {

using weighbridge::Checkpoint;
using weighbridge::OpenOptions;
using weighbridge::SourcePtr;

Checkpoint read_numbers(SourcePtr source, OpenOptions options) {
  options.dequantize = weighbridge::DType::F16;
  return weighbridge::gguf::read(std::move(source), options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes = "GGUF";
  bytes.append(reinterpret_cast<const char*>(data), size);
  weighbridge::fuzz::read_every_tensor(bytes, weighbridge::gguf::read);
  weighbridge::fuzz::read_every_tensor(std::move(bytes), read_numbers);
  return 0;
}
