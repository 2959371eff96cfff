// Pickle streams, written opcode by opcode, and graphs, shown as Python would print them.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/pickle/machine.hpp"

namespace weighbridge::pickle_test {

/// Each function appends one opcode with its argument.
class Stream {
 public:
  // Protocol 0
  Stream& mark() { return op('('); }
  Stream& stop() { return op('.'); }
  Stream& pop() { return op('0'); }
  Stream& dup() { return op('2'); }
  Stream& int_text(std::string_view text) { return op('I').line(text); }
  Stream& long_text(std::string_view text) { return op('L').line(text); }
  Stream& float_text(std::string_view text) { return op('F').line(text); }
  Stream& none() { return op('N'); }
  Stream& string(std::string_view quoted) { return op('S').line(quoted); }
  Stream& unicode(std::string_view escaped) { return op('V').line(escaped); }
  Stream& persid(std::string_view id) { return op('P').line(id); }
  Stream& append() { return op('a'); }
  Stream& list() { return op('l'); }
  Stream& tuple() { return op('t'); }
  Stream& dict() { return op('d'); }
  Stream& setitem() { return op('s'); }
  Stream& get(std::string_view index) { return op('g').line(index); }
  Stream& put(std::string_view index) { return op('p').line(index); }
  Stream& global(std::string_view module, std::string_view name) { return op('c').line(module).line(name); }
  Stream& inst(std::string_view module, std::string_view name) { return op('i').line(module).line(name); }
  Stream& reduce() { return op('R'); }
  Stream& build() { return op('b'); }

  // Protocol 1
  Stream& binint(std::int32_t value) { return op('J').number(value); }
  Stream& binint1(std::uint8_t value) { return op('K').number(value); }
  Stream& binint2(std::uint16_t value) { return op('M').number(value); }
  Stream& binfloat(double value) {
    return op('G').number(reverse_bytes(std::bit_cast<std::uint64_t>(value)));
  }
  Stream& binstring(std::string_view bytes) { return op('T').sized<std::int32_t>(bytes); }
  Stream& short_binstring(std::string_view bytes) { return op('U').sized<std::uint8_t>(bytes); }
  Stream& binunicode(std::string_view text) { return op('X').sized<std::uint32_t>(text); }
  Stream& empty_list() { return op(']'); }
  Stream& empty_tuple() { return op(')'); }
  Stream& empty_dict() { return op('}'); }
  Stream& appends() { return op('e'); }
  Stream& setitems() { return op('u'); }
  Stream& pop_mark() { return op('1'); }
  Stream& binget(std::uint8_t index) { return op('h').number(index); }
  Stream& long_binget(std::uint32_t index) { return op('j').number(index); }
  Stream& binput(std::uint8_t index) { return op('q').number(index); }
  Stream& long_binput(std::uint32_t index) { return op('r').number(index); }
  Stream& obj() { return op('o'); }
  Stream& binpersid() { return op('Q'); }

  // Protocol 2
  Stream& proto(std::uint8_t version) { return op('\x80').number(version); }
  Stream& newobj() { return op('\x81'); }
  Stream& ext1(std::uint8_t code) { return op('\x82').number(code); }
  Stream& ext2(std::uint16_t code) { return op('\x83').number(code); }
  Stream& ext4(std::int32_t code) { return op('\x84').number(code); }
  Stream& tuple1() { return op('\x85'); }
  Stream& tuple2() { return op('\x86'); }
  Stream& tuple3() { return op('\x87'); }
  Stream& newtrue() { return op('\x88'); }
  Stream& newfalse() { return op('\x89'); }
  Stream& long1(std::string_view bytes) { return op('\x8a').sized<std::uint8_t>(bytes); }
  Stream& long4(std::string_view bytes) { return op('\x8b').sized<std::int32_t>(bytes); }

  // Protocol 3
  Stream& binbytes(std::string_view bytes) { return op('B').sized<std::uint32_t>(bytes); }
  Stream& short_binbytes(std::string_view bytes) { return op('C').sized<std::uint8_t>(bytes); }

  // Protocol 4
  Stream& text(std::string_view text) { return op('\x8c').sized<std::uint8_t>(text); }  ///< SHORT_BINUNICODE
  Stream& binunicode8(std::string_view text) { return op('\x8d').sized<std::uint64_t>(text); }
  Stream& binbytes8(std::string_view bytes) { return op('\x8e').sized<std::uint64_t>(bytes); }
  Stream& empty_set() { return op('\x8f'); }
  Stream& additems() { return op('\x90'); }
  Stream& frozenset() { return op('\x91'); }
  Stream& newobj_ex() { return op('\x92'); }
  Stream& stack_global() { return op('\x93'); }
  Stream& memoize() { return op('\x94'); }
  Stream& frame(std::uint64_t length) { return op('\x95').number(length); }
  /// A frame of the right length around `framed`.
  Stream& frame(const Stream& framed) { return frame(framed.bytes_.size()).raw(framed.bytes_); }

  // Protocol 5
  Stream& bytearray8(std::string_view bytes) { return op('\x96').sized<std::uint64_t>(bytes); }
  Stream& next_buffer() { return op('\x97'); }
  Stream& readonly_buffer() { return op('\x98'); }

  // What no writer does
  Stream& op(char byte) { return raw({&byte, 1}); }
  Stream& raw(std::string_view bytes) {
    bytes_.append(bytes);
    return *this;
  }
  template <typename T>
  Stream& number(T value) {
    char bytes[sizeof value];
    store_le(bytes, value);
    return raw({bytes, sizeof value});
  }
  Stream& repeat(std::size_t count, const Stream& what) {
    bytes_.reserve(bytes_.size() + count * what.bytes_.size());
    for (std::size_t i = 0; i < count; ++i) bytes_.append(what.bytes_);
    return *this;
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] SourcePtr source() const { return memory_source(Buffer::take(bytes_)); }
  [[nodiscard]] pickle::Outcome run(const Limits& limits = {}) const {
    return pickle::run(source(), 0, limits);
  }

 private:
  Stream& line(std::string_view text) { return raw(text).raw("\n"); }
  template <typename Length>
  Stream& sized(std::string_view bytes) {
    return number(static_cast<Length>(bytes.size())).raw(bytes);
  }

  std::string bytes_;
};

/// The value as Python would print it; calls as class(args) with +[items], +{pairs} and !state.
/// Containers more than six deep are "...".
std::string show(const pickle::Graph& graph, pickle::NodeId node, int depth = 0);

/// show() of the root, or the error's message.
std::string show(const pickle::Outcome& outcome);

}  // namespace weighbridge::pickle_test
