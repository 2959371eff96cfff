// Lists the tensors of any checkpoint that Weighbridge reads: ./01_list model.pt
#include <cstdio>
#include <string>

#include <weighbridge/weighbridge.hpp>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FILE\n", argv[0]);
    return 2;
  }
  try {
    const weighbridge::Checkpoint checkpoint = weighbridge::open_checkpoint(argv[1]);
    for (const weighbridge::TensorEntry& tensor : checkpoint.tensors) {
      const std::string dtype(weighbridge::dtype_name(tensor.spec.dtype));
      const std::string shape = weighbridge::shape_text(tensor.spec.shape);
      std::printf("%-32s %-8s %s\n", tensor.spec.name.c_str(), dtype.c_str(), shape.c_str());
    }
    std::printf("%zu tensors, read from %s, state dict at '%s'\n", checkpoint.tensors.size(),
                checkpoint.format.c_str(), checkpoint.root.c_str());
  } catch (const weighbridge::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
