// Bytes must not outlive the buffer that keeps them alive.
#include <weighbridge/byte_source.hpp>

std::size_t size_of(const weighbridge::ByteSource& source) {
#ifdef BAD
  return source.read(0, 8).bytes().size();
#else
  const weighbridge::Buffer buffer = source.read(0, 8);
  return buffer.bytes().size();
#endif
}
