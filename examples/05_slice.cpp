// Reads part of a tensor, and only its bytes: ./05_slice model.safetensors TENSOR '0:2, ::4'
#include <cstdio>
#include <string>

#include <weighbridge/weighbridge.hpp>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s FILE TENSOR SLICE\n", argv[0]);
    return 2;
  }
  try {
    const auto file = weighbridge::SafetensorsFile::open(argv[1]);
    const weighbridge::TensorInfo tensor = file.header().get(argv[2]);
    const auto slice = weighbridge::parse_slice(argv[3]);
    const weighbridge::SlicePlan plan = weighbridge::plan_slice(tensor.dtype, tensor.shape, slice);
    const weighbridge::Buffer bytes = file.read_slice(argv[2], slice);

    const std::string whole = weighbridge::shape_text(tensor.shape);
    const std::string part = weighbridge::shape_text(plan.shape);
    std::printf("%s of %s: %zu of %llu bytes\n", part.c_str(), whole.c_str(), bytes.size(),
                static_cast<unsigned long long>(tensor.end - tensor.begin));
  } catch (const weighbridge::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
