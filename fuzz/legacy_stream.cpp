// Any bytes behind the magic number of the legacy stream.
#include <cstddef>
#include <cstdint>
#include <string>

#include <weighbridge/checkpoint.hpp>

#include "formats/torch/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr char kMagic[] = "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E";
  std::string bytes(kMagic, sizeof kMagic - 1);
  bytes.append(reinterpret_cast<const char*>(data), size);
  weighbridge::OpenOptions options;
  options.limits.pickle_nodes = 100'000;
  options.limits.tensors = 10'000;
  options.limits.name_bytes = 1024;
  options.limits.walk_depth = 64;
  try {
    const auto source = weighbridge::memory_source(weighbridge::Buffer::take(std::move(bytes)));
    weighbridge::torch::read_legacy(source, options);
  } catch (const weighbridge::Error&) {
    // Refusing is an answer.
  }
  return 0;
}
