"""Random streams that are valid by construction: each opcode finds on the stack what it needs, and STOP one value."""

from __future__ import annotations

import pickletools
import random
import struct
from collections.abc import Callable

# What no file can carry: names by number and buffers outside of the stream.
REFUSED = {"EXT1", "EXT2", "EXT4", "NEXT_BUFFER"}

NAMES = [
    (b"models", b"Net"),
    (b"models.layers", b"Linear"),
    (b"torch.nn.modules.linear", b"Linear"),
    (b"__builtin__", b"object"),
    (b"copy_reg", b"_reconstructor"),
]
WIDE_NAME = ("möbius".encode(), b"Band")  # pickletools shows such names of STACK_GLOBAL alone.
TEXTS = [
    "",
    "weight",
    "bias",
    "a" * 300,
    "é",
    "\u20ac",
    "\U0001f600",
    "\ud800",
    "tab\tline\n",
    "back\\slash",
    "\\u0041",
]
NUMBERS = [0, 1, 2, 255, 256, 65535, 65536, -1, -128, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**63, -(2**200)]
FLOATS = [0.0, -0.0, 1.5, -2.25e-300, 1e300, float("inf"), float("-inf")]


# CPython keeps an array up to the highest number of the memo, so that large ones would cost it gigabytes.
MEMO = 70_000


class Maker:
    """Appends opcodes to `ops`; every method named like a value leaves exactly that value on the stack."""

    def __init__(self, random_numbers: random.Random) -> None:
        self.random = random_numbers
        self.ops: list[bytes] = []
        self.memo: dict[int, str] = {}

    def add(self, *codes: bytes) -> None:
        """One opcode with its argument."""
        self.ops.append(b"".join(codes))

    # The memo

    def remember(self, what: str) -> int:
        index = self.random.choice([len(self.memo), self.random.randrange(256), self.random.randrange(MEMO)])
        form = self.random.choice("pqr\x94")
        if form == "\x94":
            index = len(self.memo)
            self.add(b"\x94")
        elif form == "q" and index < 256:
            self.add(b"q", bytes([index]))
        elif form == "r":
            self.add(b"r", struct.pack("<I", index))
        else:
            self.add(b"p%d\n" % index)
        self.memo[index] = what
        return index

    def recall(self, index: int) -> None:
        forms = [
            b"g%d\n" % index,
            b"j" + struct.pack("<I", index) if index < 2**32 else b"",
            b"h" + bytes([index & 255]),
        ]
        self.add(self.random.choice(forms if index < 256 else forms[:2]))

    def known(self, what: str) -> list[int]:
        return [index for index, kind in self.memo.items() if kind == what or what == "any"]

    # Scalars

    def integer(self) -> None:
        number = self.random.choice([*NUMBERS, self.random.randrange(-(2**70), 2**70)])
        size = number.bit_length() // 8 + 1
        twos = number.to_bytes(size, "little", signed=True)
        forms = [b"I%d\n" % number, b"L%dL\n" % number, b"L%d\n" % number, b"\x8a" + bytes([size]) + twos,
                 b"\x8b" + struct.pack("<i", size) + twos]  # fmt: skip
        if 0 <= number < 256:
            forms.append(b"K" + bytes([number]))
        if 0 <= number < 65536:
            forms.append(b"M" + struct.pack("<H", number))
        if -(2**31) <= number < 2**31:
            forms.append(b"J" + struct.pack("<i", number))
        self.add(self.random.choice([*forms, b"\x8a\0"]))

    def real(self) -> None:
        number = self.random.choice(FLOATS)
        self.add(self.random.choice([b"G" + struct.pack(">d", number), b"F%s\n" % repr(number).encode()]))

    def constant(self) -> None:
        self.add(self.random.choice([b"N", b"\x88", b"\x89", b"I00\n", b"I01\n"]))

    def text(self) -> None:
        characters = self.random.choice(TEXTS)
        encoded = characters.encode("utf-8", "surrogatepass")
        raw = characters.replace("\\", "\\u005c").replace("\n", "\\u000a").encode("raw-unicode-escape")
        forms = [b"V" + raw + b"\n", b"X" + struct.pack("<I", len(encoded)) + encoded,
                 b"\x8d" + struct.pack("<Q", len(encoded)) + encoded]  # fmt: skip
        if len(encoded) < 256:
            forms.append(b"\x8c" + bytes([len(encoded)]) + encoded)
        self.add(self.random.choice(forms))

    def old_text(self) -> None:
        content = self.random.randbytes(self.random.randrange(12))
        ascii_text = repr(bytes(byte & 127 for byte in content))[1:].encode()  # All that pickletools can show.
        self.add(self.random.choice([b"S" + ascii_text + b"\n", b"T" + struct.pack("<i", len(content)) + content,
                                     b"U" + bytes([len(content)]) + content]))  # fmt: skip

    def blob(self) -> None:
        content = self.random.randbytes(self.random.choice([0, 3, 200]))
        self.add(self.random.choice([b"C" + bytes([len(content)]), b"B" + struct.pack("<I", len(content)),
                                     b"\x8e" + struct.pack("<Q", len(content))]), content)  # fmt: skip

    def name(self) -> None:
        module, name = self.random.choice([*NAMES, WIDE_NAME])
        if module.isascii() and self.random.random() < 0.5:
            self.add(b"c", module, b"\n", name, b"\n")
            return
        for part in (module, name):
            self.add(b"X", struct.pack("<I", len(part)), part)
        self.add(b"\x93")

    def persistent(self, depth: int) -> None:
        if self.random.random() < 0.3:
            self.add(b"P%d\n" % self.random.randrange(100))
        else:
            self.hashable(depth - 1)
            self.add(b"Q")

    # Containers

    def several(self, make: Callable[[int], None], depth: int, most: int = 4) -> None:
        for _ in range(self.random.randrange(most)):
            make(depth - 1)

    def tuple_of(self, make: Callable[[int], None], depth: int) -> None:
        count = self.random.randrange(4)
        if count and self.random.random() < 0.6:
            for _ in range(count):
                make(depth - 1)
            self.add(bytes([0x84 + count]))
        elif count:
            self.add(b"(")
            self.several(make, depth)
            self.add(b"t")
        else:
            self.add(b")")

    def frozen(self, depth: int) -> None:
        self.add(b"(")
        self.several(lambda _: self.simple(), depth)
        self.add(b"\x91")

    def list_of(self, depth: int) -> None:
        if self.random.random() < 0.3:
            self.add(b"(")
            self.several(self.value, depth)
            self.add(b"l")
            return
        self.add(b"]")
        if self.random.random() < 0.4:
            self.remember("list")
        self.extend(depth)

    def extend(self, depth: int) -> None:
        for _ in range(self.random.randrange(3)):
            if self.random.random() < 0.5:
                self.value(depth - 1)
                self.add(b"a")
            else:
                self.add(b"(")
                self.several(self.value, depth)
                self.add(b"e")

    def pairs(self, depth: int) -> None:
        for _ in range(self.random.randrange(4)):
            self.hashable(depth - 1)
            self.value(depth - 1)

    def dict_of(self, depth: int) -> None:
        if self.random.random() < 0.3:
            self.add(b"(")
            self.pairs(depth)
            self.add(b"d")
            return
        if self.random.random() < 0.3:
            self.add(b"ccollections\nOrderedDict\n")
            self.add(b")")
            self.add(b"R")
        else:
            self.add(b"}")
        if self.random.random() < 0.4:
            self.remember("dict")
        self.set_items(depth)

    def set_items(self, depth: int) -> None:
        for _ in range(self.random.randrange(3)):
            if self.random.random() < 0.5:
                self.hashable(depth - 1)
                self.value(depth - 1)
                self.add(b"s")
            else:
                self.add(b"(")
                self.pairs(depth)
                self.add(b"u")

    def set_of(self, depth: int) -> None:
        self.add(b"\x8f")
        for _ in range(self.random.randrange(3)):
            self.add(b"(")
            self.several(lambda _: self.simple(), depth)
            self.add(b"\x90")

    def bytearray(self) -> None:
        content = self.random.randbytes(self.random.randrange(9))
        self.add(b"\x96", struct.pack("<Q", len(content)), content)
        if self.random.random() < 0.3:
            self.add(b"\x98")

    # Calls and objects

    def instance(self, depth: int) -> None:
        form = self.random.choice("R\x81\x92io")
        if form in "io":
            self.old_instance(form, depth)
        else:
            self.name()
            self.tuple_of(self.value, depth)
            if form == "\x92":
                self.keywords(depth)
            self.add(form.encode("latin-1"))
        if self.random.random() < 0.3:
            self.remember("hashable")
        self.random.choice([self.extend, self.set_items, self.state, lambda _: None])(depth)

    def old_instance(self, form: str, depth: int) -> None:
        self.add(b"(")
        if form == "o":
            self.name()
            self.several(self.value, depth)
            self.add(b"o")
        else:
            self.several(self.value, depth)
            module, name = self.random.choice(NAMES)
            self.add(b"i", module, b"\n", name, b"\n")

    def keywords(self, depth: int) -> None:
        self.add(b"}")
        for key in (b"a", b"b")[: self.random.randrange(3)]:
            self.add(b"X", struct.pack("<I", 1), key)
            self.value(depth - 1)
            self.add(b"s")

    def state(self, depth: int) -> None:
        self.value(depth - 1)
        self.add(b"b")

    def folded(self, depth: int) -> None:
        """Calls that make plain containers, as older protocols write them."""
        module = self.random.choice([b"__builtin__", b"builtins"])
        name = self.random.choice([b"set", b"frozenset", b"list"])
        self.add(b"c", module, b"\n", name, b"\n")
        self.add(b"(")
        self.several(lambda _: self.simple(), depth)
        self.add(b"l")
        self.add(b"\x85")
        self.add(b"R")

    def encoded(self) -> None:
        """Bytes as protocols 0 to 2 write them."""
        content = bytes(range(self.random.randrange(256))).decode("latin-1").encode()
        self.add(b"c_codecs\nencode\n")
        self.add(b"X", struct.pack("<I", len(content)), content)
        self.add(b"X", struct.pack("<I", 6), b"latin1")
        self.add(b"\x86")
        self.add(b"R")

    # Any value

    def simple(self) -> None:
        self.random.choice([self.integer, self.real, self.constant, self.text, self.old_text, self.blob])()

    def hashable(self, depth: int) -> None:
        known = self.known("hashable")
        if known and self.random.random() < 0.3:
            self.recall(self.random.choice(known))
        elif depth <= 0:
            self.simple()
        else:
            self.random.choice([
                self.simple, self.name, lambda: self.tuple_of(self.hashable, depth), lambda: self.frozen(depth),
                lambda: self.instance(depth), lambda: self.persistent(depth), self.encoded])()  # fmt: skip
        if self.random.random() < 0.2:
            self.remember("hashable")

    def value(self, depth: int) -> None:
        self.noise()
        known = self.known("any")
        if known and self.random.random() < 0.15:
            self.recall(self.random.choice(known))
        elif depth <= 0 or self.random.random() < 0.3:
            self.hashable(depth)
        else:
            containers = [self.list_of, self.dict_of, self.set_of, self.folded, self.instance]
            others = [lambda _: self.bytearray(), lambda at: self.tuple_of(self.value, at)]
            self.random.choice([*containers, *others])(depth)

    def noise(self) -> None:
        """What leaves the stack as it was."""
        form = self.random.randrange(40)
        if form == 0:
            self.add(b"(")
            self.add(b"0")
        elif form == 1:
            self.add(b"(")
            self.simple()
            self.add(b"1")
        elif form == 2:
            self.simple()
            self.add(b"2")
            self.add(b"0")
            self.add(b"0")
        elif form == 3:
            self.add(b"\x80", bytes([self.random.randrange(6)]))


def framed(ops: list[bytes], random_numbers: random.Random) -> list[bytes]:
    """Puts runs of whole opcodes into frames, and leaves others between them."""
    out: list[bytes] = []
    at = 0
    while at < len(ops):
        count = random_numbers.randrange(1, 20)
        run = ops[at : at + count]
        if random_numbers.random() < 0.7:
            out.append(b"\x95" + struct.pack("<Q", sum(map(len, run))))
        out += run
        at += count
    return out


def make(seed: int) -> bytes:
    """A stream of any protocol."""
    random_numbers = random.Random(seed)
    maker = Maker(random_numbers)
    maker.value(random_numbers.randrange(2, 6))
    ops = [*maker.ops, b"."]
    if random_numbers.random() < 0.4:
        ops = framed(ops, random_numbers)
    if random_numbers.random() < 0.8:
        ops.insert(0, b"\x80" + bytes([random_numbers.randrange(6)]))
    return b"".join(ops)


def mutate(stream: bytes, random_numbers: random.Random) -> bytes:
    """The stream with one to three small changes: bits, bytes, cuts and copies."""
    changed = bytearray(stream)
    for _ in range(random_numbers.randrange(1, 4)):
        at = random_numbers.randrange(len(changed))
        to = min(len(changed), at + random_numbers.randrange(1, 8))
        form = random_numbers.randrange(5)
        if form == 0:
            changed[at] ^= 1 << random_numbers.randrange(8)
        elif form == 1:
            changed[at] = random_numbers.choice(b"".join(op.code.encode("latin-1") for op in pickletools.opcodes))
        elif form == 2 and to - at < len(changed):
            del changed[at:to]
        elif form == 3:
            changed[at:at] = changed[at:to]
        else:
            changed[at:at] = bytes([random_numbers.randrange(256)])
    return bytes(changed)
