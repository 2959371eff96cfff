// A pair of metadata must not outlive the header that it points into.
#include <weighbridge/header.hpp>

std::string first_value(const weighbridge::ByteSource& source) {
#ifdef BAD
  return std::string(weighbridge::read_header(source).metadata_at(0).second);
#else
  const weighbridge::Header header = weighbridge::read_header(source);
  return std::string(header.metadata_at(0).second);
#endif
}
