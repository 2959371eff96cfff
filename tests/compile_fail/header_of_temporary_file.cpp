// A reference to the header must not outlive the file that owns it.
#include <weighbridge/safetensors_file.hpp>

std::size_t count(const weighbridge::SourcePtr& source) {
#ifdef BAD
  const weighbridge::Header& header = weighbridge::SafetensorsFile::from_source(source).header();
  return header.size();
#else
  const auto file = weighbridge::SafetensorsFile::from_source(source);
  const weighbridge::Header& header = file.header();
  return header.size();
#endif
}
