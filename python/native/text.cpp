// Text on its way to Python.
#include <cstdint>
#include <cstring>

#include "module.hpp"

namespace weighbridge::python {
namespace {

// The stable interface of Python has no way to say that text is ASCII, and looks at it again.
#ifndef Py_LIMITED_API

bool is_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t seen = 0;
  for (; text.size() >= sizeof seen; text.remove_prefix(sizeof seen)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    seen |= word;
  }
  for (const char c : text) seen |= static_cast<unsigned char>(c);
  return (seen & kHighBits) == 0;
}

nb::str ascii_str(std::string_view text) {
  constexpr Py_UCS4 kMostAscii = 0x7F;
  nb::object str = nb::steal(PyUnicode_New(static_cast<Py_ssize_t>(text.size()), kMostAscii));
  if (!str.is_valid()) nb::raise_python_error();
  if (!text.empty()) std::memcpy(PyUnicode_1BYTE_DATA(str.ptr()), text.data(), text.size());
  return nb::steal<nb::str>(str.release());
}

#endif

}  // namespace

nb::str to_str(std::string_view text) {
#ifndef Py_LIMITED_API
  if (is_ascii(text)) return ascii_str(text);
#endif
  return nb::str(text.data(), text.size());
}

}  // namespace weighbridge::python
