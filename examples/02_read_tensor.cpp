// Reads one F32 tensor of a safetensors file without a copy: ./02_read_tensor model.safetensors NAME
#include <cstdio>
#include <cstring>

#include <weighbridge/safetensors_file.hpp>

// The mean of the tensor's numbers. The bytes may lie at any address, so each is copied out.
double mean(const weighbridge::TensorView& tensor) {
  const std::size_t count = tensor.bytes.size() / sizeof(float);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    float value = 0;
    std::memcpy(&value, tensor.bytes.data() + i * sizeof(float), sizeof(float));
    sum += static_cast<double>(value);
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s FILE TENSOR\n", argv[0]);
    return 2;
  }
  try {
    const auto file = weighbridge::SafetensorsFile::open(argv[1]);
    const weighbridge::TensorView tensor = file.view(argv[2]);  // lives as long as `file`
    if (tensor.dtype != weighbridge::DType::F32) {
      std::fprintf(stderr, "'%s' is not F32\n", argv[2]);
      return 1;
    }
    std::printf("%s: shape %s, mean %g\n", argv[2], weighbridge::shape_text(tensor.shape).c_str(),
                mean(tensor));
  } catch (const weighbridge::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
