#include "formats/pickle/opcodes.hpp"

namespace weighbridge::pickle {
namespace {

struct Row {
  unsigned char byte;
  Opcode opcode;
};

constexpr auto kRows = std::to_array<Row>({
    // Protocol 0
    {'(', {"MARK", op::mark}},
    {'.', {"STOP", op::stop}},
    {'0', {"POP", op::pop}},
    {'2', {"DUP", op::dup}},
    {'I', {"INT", op::integer}},
    {'L', {"LONG", op::long_text}},
    {'F', {"FLOAT", op::float_text}},
    {'N', {"NONE", op::none}},
    {'S', {"STRING", op::string}},
    {'V', {"UNICODE", op::unicode}},
    {'P', {"PERSID", op::persid}},
    {'a', {"APPEND", op::append}},
    {'l', {"LIST", op::list}},
    {'t', {"TUPLE", op::tuple}},
    {'d', {"DICT", op::dict}},
    {'s', {"SETITEM", op::setitem}},
    {'g', {"GET", op::get}},
    {'p', {"PUT", op::put}},
    {'c', {"GLOBAL", op::global}},
    {'i', {"INST", op::inst}},
    {'R', {"REDUCE", op::reduce}},
    {'b', {"BUILD", op::build}},
    // Protocol 1
    {'J', {"BININT", op::binint}},
    {'K', {"BININT1", op::binint1}},
    {'M', {"BININT2", op::binint2}},
    {'G', {"BINFLOAT", op::binfloat}},
    {'T', {"BINSTRING", op::binstring}},
    {'U', {"SHORT_BINSTRING", op::short_binstring}},
    {'X', {"BINUNICODE", op::binunicode}},
    {']', {"EMPTY_LIST", op::empty_list}},
    {')', {"EMPTY_TUPLE", op::empty_tuple}},
    {'}', {"EMPTY_DICT", op::empty_dict}},
    {'e', {"APPENDS", op::appends}},
    {'u', {"SETITEMS", op::setitems}},
    {'1', {"POP_MARK", op::pop_mark}},
    {'h', {"BINGET", op::binget}},
    {'j', {"LONG_BINGET", op::long_binget}},
    {'q', {"BINPUT", op::binput}},
    {'r', {"LONG_BINPUT", op::long_binput}},
    {'o', {"OBJ", op::obj}},
    {'Q', {"BINPERSID", op::binpersid}},
    // Protocol 2
    {0x80, {"PROTO", op::proto}},
    {0x81, {"NEWOBJ", op::newobj}},
    {0x82, {"EXT1", op::refuse_extension}},
    {0x83, {"EXT2", op::refuse_extension}},
    {0x84, {"EXT4", op::refuse_extension}},
    {0x85, {"TUPLE1", op::tuple1}},
    {0x86, {"TUPLE2", op::tuple2}},
    {0x87, {"TUPLE3", op::tuple3}},
    {0x88, {"NEWTRUE", op::newtrue}},
    {0x89, {"NEWFALSE", op::newfalse}},
    {0x8A, {"LONG1", op::long1}},
    {0x8B, {"LONG4", op::long4}},
    // Protocol 3
    {'B', {"BINBYTES", op::binbytes}},
    {'C', {"SHORT_BINBYTES", op::short_binbytes}},
    // Protocol 4
    {0x8C, {"SHORT_BINUNICODE", op::short_binunicode}},
    {0x8D, {"BINUNICODE8", op::binunicode8}},
    {0x8E, {"BINBYTES8", op::binbytes8}},
    {0x8F, {"EMPTY_SET", op::empty_set}},
    {0x90, {"ADDITEMS", op::additems}},
    {0x91, {"FROZENSET", op::frozenset}},
    {0x92, {"NEWOBJ_EX", op::newobj_ex}},
    {0x93, {"STACK_GLOBAL", op::stack_global}},
    {0x94, {"MEMOIZE", op::memoize}},
    {0x95, {"FRAME", op::frame}},
    // Protocol 5
    {0x96, {"BYTEARRAY8", op::bytearray8}},
    {0x97, {"NEXT_BUFFER", op::refuse_next_buffer}},
    {0x98, {"READONLY_BUFFER", op::readonly_buffer}},
});
static_assert(kRows.size() == 68);

constexpr std::array<Opcode, 256> kTable = [] {
  std::array<Opcode, 256> table{};
  for (const Row& row : kRows) table[row.byte] = row.opcode;
  return table;
}();

}  // namespace

const Opcode& opcode(std::uint8_t byte) noexcept { return kTable[byte]; }

}  // namespace weighbridge::pickle
