// Name and shape of a tensor must not outlive the header that they point into.
#include <weighbridge/header.hpp>

std::string_view first_name(const weighbridge::ByteSource& source) {
#ifdef BAD
  return weighbridge::read_header(source)[0].name;
#else
  static const weighbridge::Header header = weighbridge::read_header(source);
  return header[0].name;
#endif
}
