"""Case 74: GGUF."""

from __future__ import annotations

import struct

from case import Case
from checkpoints import FOUR_FLOATS
from expected import CHECKPOINT, LIMIT, OVERFLOW, UNSUPPORTED, WEIGHT


def text(value: str | bytes, length: int | None = None) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data) if length is None else length) + data


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def info(name: str = "weight", dims: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


ARCHITECTURE = pair("general.architecture", 8, text("llama"))


def gguf(
    *tensors: bytes,
    pairs: tuple[bytes, ...] = (ARCHITECTURE,),
    counts: tuple[int, int] | None = None,
    version: int = 3,
    data: bytes = FOUR_FLOATS + bytes(16),
) -> bytes:
    infos = tensors or (info(),)
    many = counts or (len(infos), len(pairs))
    head = b"GGUF" + struct.pack("<IQQ", version, *many) + b"".join(pairs) + b"".join(infos)
    return head + bytes(-len(head) % 32) + data


def array(kind: int, count: int, items: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + items


GGUF_CASES = [
    Case(74, "honest", "one tensor", gguf, tensors=WEIGHT),
    Case(74, "tensors", "2^63 tensors, it says", lambda: gguf(counts=(1 << 63, 1)), (*LIMIT, *CHECKPOINT)),
    Case(74, "pairs", "2^62 pairs, it says", lambda: gguf(counts=(1, 1 << 62)), (*LIMIT, *CHECKPOINT)),
    Case(74, "both", "counts whose sum is small", lambda: gguf(counts=((1 << 64) - 1, 2)), (*LIMIT, *CHECKPOINT)),
    Case(74, "text", "a key of 2^64 - 1 bytes",
         lambda: gguf(pairs=(text("key", (1 << 64) - 1) + struct.pack("<II", 4, 1),)), (*LIMIT, *CHECKPOINT)),
    Case(74, "array", "an array of 2^61 numbers of 8 bytes",
         lambda: gguf(pairs=(ARCHITECTURE, pair("a", 9, array(10, 1 << 61)))), (*LIMIT, *CHECKPOINT)),
    Case(74, "texts", "an array of 2^60 texts",
         lambda: gguf(pairs=(ARCHITECTURE, pair("a", 9, array(8, 1 << 60)))), (*LIMIT, *CHECKPOINT)),
    Case(74, "nested", "arrays in arrays",
         lambda: gguf(pairs=(ARCHITECTURE, pair("a", 9, array(9, 1, array(0, 1, b"\0"))))), UNSUPPORTED),
    Case(74, "kind", "a value of no type", lambda: gguf(pairs=(ARCHITECTURE, pair("a", 13, b"\0"))), CHECKPOINT),
    Case(74, "key-twice", "a key twice", lambda: gguf(pairs=(ARCHITECTURE, ARCHITECTURE)),
         ("DuplicateKey", *CHECKPOINT)),
    Case(74, "name-twice", "a name twice", lambda: gguf(info(), info(offset=32), data=bytes(64)),
         ("DuplicateKey", "NameCollision", *CHECKPOINT)),
    *(Case(74, f"alignment-{value}", "an alignment that is none",
           lambda value=value: gguf(pairs=(ARCHITECTURE, pair("general.alignment", 4, struct.pack("<I", value)))),
           CHECKPOINT)
      for value in (0, 3, 1 << 17, 1 << 31)),
    Case(74, "alignment-kind", "an alignment of 64 bits",
         lambda: gguf(pairs=(ARCHITECTURE, pair("general.alignment", 10, struct.pack("<Q", 32)))), CHECKPOINT),
    Case(74, "many-keys", "a hundred thousand keys, of which each is compared with none",
         lambda: gguf(pairs=(ARCHITECTURE, *(pair(f"key{i}", 0, b"\0") for i in range(100_000)))), tensors=WEIGHT),
    Case(74, "dims", "2^64 elements", lambda: gguf(info(dims=(1 << 32, 1 << 32))), OVERFLOW),
    Case(74, "dims-many", "a tensor of a million dimensions",
         lambda: gguf(text("weight") + struct.pack("<I", 1_000_000)), CHECKPOINT),
    Case(74, "blocks", "a row of half a block", lambda: gguf(info(dims=(16,), kind=2)), CHECKPOINT),
    Case(74, "type", "a type that was taken out", lambda: gguf(info(kind=4)), (*UNSUPPORTED, *CHECKPOINT)),
    Case(74, "type-none", "a type that never was", lambda: gguf(info(kind=1 << 31)), (*UNSUPPORTED, *CHECKPOINT)),
    Case(74, "overlap", "two tensors in one place", lambda: gguf(info("a"), info("b")), CHECKPOINT),
    Case(74, "unaligned", "an offset of 4", lambda: gguf(info(offset=4)), CHECKPOINT),
    Case(74, "beyond", "a tensor beyond the file", lambda: gguf(info(dims=(1 << 40,))), CHECKPOINT),
    Case(74, "version", "version 1", lambda: gguf(version=1), (*UNSUPPORTED, *CHECKPOINT)),
]  # fmt: skip
