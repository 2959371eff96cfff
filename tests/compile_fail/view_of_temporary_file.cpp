// A view must not outlive the file that it points into.
#include <weighbridge/safetensors_file.hpp>

std::size_t size_of(const weighbridge::SourcePtr& source) {
#ifdef BAD
  return weighbridge::SafetensorsFile::from_source(source).view("a").bytes.size();
#else
  const auto file = weighbridge::SafetensorsFile::from_source(source);
  return file.view("a").bytes.size();
#endif
}
