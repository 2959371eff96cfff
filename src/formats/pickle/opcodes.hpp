// The opcodes of pickle protocols 0 to 5 and what each does to the machine.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <weighbridge/limits.hpp>

#include "formats/pickle/cursor.hpp"
#include "formats/pickle/graph_builder.hpp"
#include "formats/pickle/inlay.hpp"
#include "formats/pickle/memo.hpp"
#include "formats/pickle/stack.hpp"

namespace weighbridge::pickle {

/// Globals that are dangerous but in one form, in which they are folded.
struct ToleratedForm {
  std::vector<NodeId> globals;  // As named, and ...
  bool folded = false;          // ... whether one was used in that form.
};

/// A stream that waits until one in its midst has stopped.
struct Suspended {
  Stack stack;
  Memo memo;
  std::size_t inlay = 0;  // Into Machine::inlays.
};

/// All that an opcode can see and change.
struct Machine {
  Machine(SourcePtr source, std::uint64_t offset, const Limits& bounds, const FindInlay& finder)
      : limits(bounds), find_inlay(finder), in(source, offset), graph(source, bounds.pickle_nodes) {}

  const Limits& limits;
  const FindInlay& find_inlay;
  Cursor in;
  GraphBuilder graph;
  Stack stack;
  Memo memo;
  std::uint64_t folded_items = 0;  // At most as many as the stream has bytes.
  ToleratedForm attributes;        // builtins.getattr
  ToleratedForm evaluations;       // builtins.eval
  std::vector<Inlay> inlays;
  std::vector<Suspended> suspended;
  NodeId root = kNoNode;
  bool stopped = false;
};

struct Opcode {
  using Handler = void (*)(Machine&);

  std::string_view name;
  Handler handler = nullptr;  ///< nullptr: no such opcode.
};

const Opcode& opcode(std::uint8_t byte) noexcept;

/// The handlers by what they deal with; each in a file of its own. They throw Fault.
namespace op {

// Stack, memo and frame: op_stack.cpp
void mark(Machine&);
void stop(Machine&);
void pop(Machine&);
void pop_mark(Machine&);
void dup(Machine&);
void proto(Machine&);
void frame(Machine&);
void get(Machine&);
void binget(Machine&);
void long_binget(Machine&);
void put(Machine&);
void binput(Machine&);
void long_binput(Machine&);
void memoize(Machine&);
void refuse_extension(Machine&);
void refuse_next_buffer(Machine&);
void readonly_buffer(Machine&);

// Numbers and constants: op_numbers.cpp
void none(Machine&);
void newtrue(Machine&);
void newfalse(Machine&);
void integer(Machine&);
void binint(Machine&);
void binint1(Machine&);
void binint2(Machine&);
void long_text(Machine&);
void long1(Machine&);
void long4(Machine&);
void float_text(Machine&);
void binfloat(Machine&);

// Text and bytes: op_text.cpp
void string(Machine&);
void binstring(Machine&);
void short_binstring(Machine&);
void unicode(Machine&);
void binunicode(Machine&);
void short_binunicode(Machine&);
void binunicode8(Machine&);
void binbytes(Machine&);
void short_binbytes(Machine&);
void binbytes8(Machine&);
void bytearray8(Machine&);

// Containers: op_containers.cpp
void empty_list(Machine&);
void empty_tuple(Machine&);
void empty_dict(Machine&);
void empty_set(Machine&);
void list(Machine&);
void tuple(Machine&);
void tuple1(Machine&);
void tuple2(Machine&);
void tuple3(Machine&);
void dict(Machine&);
void frozenset(Machine&);
void append(Machine&);
void appends(Machine&);
void setitem(Machine&);
void setitems(Machine&);
void additems(Machine&);

// Globals, calls and persistent ids: op_calls.cpp
void global(Machine&);
void stack_global(Machine&);
void reduce(Machine&);
void build(Machine&);
void inst(Machine&);
void obj(Machine&);
void newobj(Machine&);
void newobj_ex(Machine&);
void persid(Machine&);
void binpersid(Machine&);

}  // namespace op

}  // namespace weighbridge::pickle
