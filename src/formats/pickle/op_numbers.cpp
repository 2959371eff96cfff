#include <bit>

#include <fmt/format.h>

#include "formats/pickle/fault.hpp"
#include "formats/pickle/literals.hpp"
#include "formats/pickle/opcodes.hpp"

namespace weighbridge::pickle::op {
namespace {

// Longer than any number that is read, so that a long line is reported by its digits.
constexpr std::uint64_t kNumberLine = 2 * kMostDigits;

void push_int(Machine& m, std::int64_t value) { m.stack.push(m.graph.add_int(value)); }
void push_bool(Machine& m, bool value) { m.stack.push(m.graph.add_bool(value)); }

void push_integer(Machine& m, const Integer& integer) {
  if (integer.big.empty()) return push_int(m, integer.value);
  m.stack.push(m.graph.add_payload(Kind::BigInt, integer.big));
}

// An integer that is too long for the window stays in the source.
void push_long(Machine& m, std::uint64_t size) {
  if (size > m.limits.integer_bytes) {
    limit_exceeded(
        fmt::format("holds an integer of {} bytes, the limit is {}", size, m.limits.integer_bytes));
  }
  if (size <= Cursor::kWindow) return push_integer(m, parse_twos_complement(m.in.bytes(size)));
  const std::uint64_t position = m.in.position();
  m.in.skip(size);
  m.stack.push(m.graph.add_payload_in_source(Kind::BigInt, position, size));
}

}  // namespace

void none(Machine& m) { m.stack.push(m.graph.add_none()); }
void newtrue(Machine& m) { push_bool(m, true); }
void newfalse(Machine& m) { push_bool(m, false); }

// Protocols 0 and 1 have no other way to write a bool. CPython's two unpicklers take a signed digit for a
// bool and for an int.
void integer(Machine& m) {
  const std::string_view line = m.in.line(kNumberLine);
  if (line == "00" || line == "01") return push_bool(m, line == "01");
  if (line == "-0" || line == "+0" || line == "+1") {
    malformed(fmt::format("needs a decimal integer, found '{}', which readers disagree about", line));
  }
  push_integer(m, parse_integer(line));
}

void binint(Machine& m) { push_int(m, m.in.little_endian<std::int32_t>()); }
void binint1(Machine& m) { push_int(m, m.in.byte()); }
void binint2(Machine& m) { push_int(m, m.in.little_endian<std::uint16_t>()); }

void long_text(Machine& m) {
  std::string_view line = m.in.line(kNumberLine);
  if (line.ends_with('L')) line.remove_suffix(1);
  push_integer(m, parse_integer(line));
}

void long1(Machine& m) { push_long(m, m.in.byte()); }

void long4(Machine& m) {
  const auto size = m.in.little_endian<std::int32_t>();
  if (size < 0) malformed(fmt::format("holds an integer of {} bytes", size));
  push_long(m, static_cast<std::uint64_t>(size));
}

void float_text(Machine& m) { m.stack.push(m.graph.add_float(parse_float(m.in.line(kNumberLine)))); }

void binfloat(Machine& m) {
  m.stack.push(m.graph.add_float(std::bit_cast<double>(m.in.big_endian<std::uint64_t>())));
}

}  // namespace weighbridge::pickle::op
