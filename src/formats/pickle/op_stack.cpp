#include <fmt/format.h>

#include "formats/pickle/fault.hpp"
#include "formats/pickle/literals.hpp"
#include "formats/pickle/opcodes.hpp"

namespace weighbridge::pickle::op {
namespace {

constexpr unsigned kHighestProtocol = 5;
constexpr std::uint64_t kIndexDigits = 20;

void push_from_memo(Machine& m, std::uint64_t index) {
  const NodeId node = m.memo.find(index);
  if (node == kNoNode) malformed(fmt::format("needs the value of memo {}, none was put there", index));
  m.stack.push(node);
}

}  // namespace

void mark(Machine& m) { m.stack.mark(); }

void stop(Machine& m) {
  m.root = m.stack.pop();
  m.stopped = true;
}

void pop(Machine& m) { m.stack.drop(); }
void pop_mark(Machine& m) { m.stack.drop_to_mark(); }
void dup(Machine& m) { m.stack.push(m.stack.top()); }

void proto(Machine& m) {
  const unsigned version = m.in.byte();
  if (version > kHighestProtocol) {
    malformed(fmt::format("asks for protocol {}, the highest known is {}", version, kHighestProtocol));
  }
}

void frame(Machine& m) { m.in.open_frame(m.in.little_endian<std::uint64_t>()); }

void get(Machine& m) { push_from_memo(m, parse_index(m.in.line(kIndexDigits))); }
void binget(Machine& m) { push_from_memo(m, m.in.byte()); }
void long_binget(Machine& m) { push_from_memo(m, m.in.little_endian<std::uint32_t>()); }

void put(Machine& m) { m.memo.put(parse_index(m.in.line(kIndexDigits)), m.stack.top()); }
void binput(Machine& m) { m.memo.put(m.in.byte(), m.stack.top()); }
void long_binput(Machine& m) { m.memo.put(m.in.little_endian<std::uint32_t>(), m.stack.top()); }
void memoize(Machine& m) { m.memo.put(m.memo.size(), m.stack.top()); }

void refuse_extension(Machine&) { malformed("refers to a registry of extensions that no file carries"); }
void refuse_next_buffer(Machine&) { malformed("refers to a buffer outside of the stream"); }

// A buffer that only looks read-only from Python is the same bytes here.
void readonly_buffer(Machine& m) { static_cast<void>(m.stack.top()); }

}  // namespace weighbridge::pickle::op
