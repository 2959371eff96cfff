// Any bytes as an HDF5 file, parsed by libhdf5 through our driver. Every tensor is read.
#include "every_tensor.hpp"
#include "formats/keras/read.hpp"
#include "hdf5/hdf5.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weighbridge;
  const auto read = [](SourcePtr source, OpenOptions options) {
    options.hdf5 = hdf5_library();
    options.limits.sidecar_bytes = 1 << 20;
    options.limits.expansion_floor = 1 << 16;
    return keras::read_hdf5(std::move(source), options);
  };
  const auto checkpoint = fuzz::read_structure(std::string(reinterpret_cast<const char*>(data), size), read);
  if (!checkpoint) return 0;
  for (const TensorEntry& tensor : checkpoint->tensors) {
    try {
      fuzz::read_tensor(tensor);
    } catch (const Error&) {
      // Chunks are decoded as they are read: damage in them is found then.
    }
  }
  return 0;
}
