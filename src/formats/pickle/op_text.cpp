#include <fmt/format.h>

#include "formats/pickle/fault.hpp"
#include "formats/pickle/literals.hpp"
#include "formats/pickle/opcodes.hpp"

namespace weighbridge::pickle::op {
namespace {

// Long payloads stay in the source, and their UTF-8 is left for whoever reads them.
void push_payload(Machine& m, Kind kind, std::uint64_t size) {
  if (size > Cursor::kWindow) {
    const std::uint64_t position = m.in.position();
    m.in.skip(size);
    m.stack.push(m.graph.add_payload_in_source(kind, position, size));
    return;
  }
  const std::string_view bytes = m.in.bytes(size);
  if (kind == Kind::Text && !is_utf8_with_surrogates(bytes)) malformed("holds text that is not UTF-8");
  m.stack.push(m.graph.add_payload(kind, bytes));
}

template <typename Length>
void push_sized(Machine& m, Kind kind) {
  push_payload(m, kind, m.in.little_endian<Length>());
}

}  // namespace

void string(Machine& m) {
  m.stack.push(m.graph.add_payload(Kind::Py2String, parse_quoted(m.in.line(m.limits.pickle_bytes))));
}

void binstring(Machine& m) {
  const auto size = m.in.little_endian<std::int32_t>();
  if (size < 0) malformed(fmt::format("holds a string of {} bytes", size));
  push_payload(m, Kind::Py2String, static_cast<std::uint64_t>(size));
}

void short_binstring(Machine& m) { push_sized<std::uint8_t>(m, Kind::Py2String); }

void unicode(Machine& m) {
  m.stack.push(m.graph.add_payload(Kind::Text, parse_raw_unicode(m.in.line(m.limits.pickle_bytes))));
}

void binunicode(Machine& m) { push_sized<std::uint32_t>(m, Kind::Text); }
void short_binunicode(Machine& m) { push_sized<std::uint8_t>(m, Kind::Text); }
void binunicode8(Machine& m) { push_sized<std::uint64_t>(m, Kind::Text); }
void binbytes(Machine& m) { push_sized<std::uint32_t>(m, Kind::Bytes); }
void short_binbytes(Machine& m) { push_sized<std::uint8_t>(m, Kind::Bytes); }
void binbytes8(Machine& m) { push_sized<std::uint64_t>(m, Kind::Bytes); }
void bytearray8(Machine& m) { push_sized<std::uint64_t>(m, Kind::ByteArray); }

}  // namespace weighbridge::pickle::op
