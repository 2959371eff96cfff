// Apart from the rest of SafetensorsFile, which needs no file system.
#include <weighbridge/safetensors_file.hpp>

namespace weighbridge {

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path, ReadMode mode,
                                      const Limits& limits) {
  return from_source(open_file(path, mode), limits);
}

}  // namespace weighbridge
