// A program of somebody else: converts a checkpoint and reads the result.
#include <cstdio>

#include <weighbridge/weighbridge.hpp>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    weighbridge::convert(argv[1], argv[2]);
    const auto file = weighbridge::SafetensorsFile::open(argv[2]);
    const std::size_t tensors = file.header().size();
    std::printf("%zu tensors\n", tensors);
    return tensors > 0 ? 0 : 1;
  } catch (const weighbridge::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
