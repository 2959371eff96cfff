"""Pickle streams put together opcode by opcode, for streams that no pickler writes.

`value()` writes an honest Python value; a `Code` within it stands for itself, so that hostile opcodes can be
planted anywhere in an otherwise ordinary object.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

SENTINEL = "weighbridge-was-here"


class Code(bytes):
    """Opcodes that leave one value on the stack."""


MARK, STOP, POP, DUP, NONE, REDUCE, BUILD, TUPLE = (Code(bytes([b])) for b in b"(.02NRbt")
EMPTY_LIST, EMPTY_TUPLE, EMPTY_DICT = Code(b"]"), Code(b")"), Code(b"}")
NEWOBJ, STACK_GLOBAL = Code(b"\x81"), Code(b"\x93")


def u64(number: int) -> bytes:
    return struct.pack("<Q", number)


def proto(version: int) -> bytes:
    return b"\x80" + bytes([version])


def frame(length: int) -> bytes:
    return b"\x95" + u64(length)


def text(characters: str | bytes) -> Code:
    encoded = characters.encode("utf-8", "surrogatepass") if isinstance(characters, str) else characters
    return Code(b"X" + struct.pack("<I", len(encoded)) + encoded)


def blob(content: bytes) -> Code:
    return Code(b"B" + struct.pack("<I", len(content)) + content)


def integer(number: int) -> Code:
    if 0 <= number < 256:
        return Code(b"K" + bytes([number]))
    length = number.bit_length() // 8 + 1
    return Code(b"\x8a" + bytes([length]) + number.to_bytes(length, "little", signed=True))


def name(module: str | bytes, attribute: str | bytes) -> Code:
    """GLOBAL: a class or function by its name."""
    lines = [part.encode() if isinstance(part, str) else part for part in (module, attribute)]
    return Code(b"c" + lines[0] + b"\n" + lines[1] + b"\n")


def call(function: Code, *arguments: object) -> Code:
    return Code(function + value(arguments) + REDUCE)


def persistent(*identity: object) -> Code:
    return Code(value(identity) + b"Q")


def value(thing: object) -> Code:
    """The opcodes of a value, of protocol 2 but for bytes."""
    if isinstance(thing, Code):
        return thing
    if thing is None or isinstance(thing, bool):
        return {None: NONE, True: Code(b"\x88"), False: Code(b"\x89")}[thing]
    if isinstance(thing, int):
        return integer(thing)
    if isinstance(thing, float):
        return Code(b"G" + struct.pack(">d", thing))
    if isinstance(thing, str):
        return text(thing)
    if isinstance(thing, bytes):
        return blob(thing)
    if isinstance(thing, dict):
        return Code(b"}(" + join(part for item in thing.items() for part in item) + b"u")
    if isinstance(thing, tuple):
        return Code(b"(" + join(thing) + b"t")
    assert isinstance(thing, list), thing
    return Code(b"](" + join(thing) + b"e")


def join(things: Iterable[object]) -> bytes:
    return b"".join(value(thing) for thing in things)


def dump(thing: object, protocol: int = 2) -> bytes:
    """A whole stream."""
    return proto(protocol) + value(thing) + STOP


# What an attacker wants to have run. Each one would leave a file called SENTINEL behind.
COMMAND = f"touch {SENTINEL}"
SYSTEM = call(name("os", "system"), COMMAND)
EXEC = call(name("builtins", "exec"), f"open({SENTINEL!r}, 'w')")
EVAL = call(name("builtins", "eval"), f"open({SENTINEL!r}, 'w')")
ORDERED_DICT = call(name("collections", "OrderedDict"))
