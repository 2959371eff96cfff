// Writes tensors of this program's own into a safetensors file: ./03_write OUTPUT
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <weighbridge/weighbridge.hpp>

// A tensor over numbers that somebody else keeps alive while the file is written.
weighbridge::TensorEntry borrow(std::string name, weighbridge::Shape shape, std::span<const float> numbers) {
  weighbridge::TensorEntry tensor;
  tensor.spec = {std::move(name), weighbridge::DType::F32, std::move(shape)};
  tensor.data.source = weighbridge::memory_source(weighbridge::Buffer(std::as_bytes(numbers), nullptr));
  return tensor;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s OUTPUT\n", argv[0]);
    return 2;
  }
  std::vector<float> weight(6);
  std::iota(weight.begin(), weight.end(), 1.0F);
  const std::vector<float> bias = {0.5F, -0.5F};
  try {
    weighbridge::Checkpoint checkpoint;
    checkpoint.tensors.push_back(borrow("linear.weight", {2, 3}, weight));
    checkpoint.tensors.push_back(borrow("linear.bias", {2}, bias));
    checkpoint.metadata = {{"format", "pt"}, {"made by", "03_write"}};

    const weighbridge::FilePlan plan = weighbridge::plan_safetensors(checkpoint);
    weighbridge::WriteOptions options;
    options.overwrite = true;
    const weighbridge::WriteReport report = weighbridge::write_file(plan, argv[1], options);
    std::printf("%llu bytes written%s\n", static_cast<unsigned long long>(report.bytes_written),
                report.verified ? " and verified" : "");
  } catch (const weighbridge::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
