"""Case 76: flax."""

from __future__ import annotations

import struct

from case import Case
from checkpoints import FOUR_FLOATS
from expected import CHECKPOINT, LIMIT, OVERFLOW, UNSUPPORTED, WEIGHT


def pack(value: object) -> bytes:
    """MessagePack, in the longest form of everything."""
    if isinstance(value, dict):
        return struct.pack(">BI", 0xDF, len(value)) + b"".join(pack(k) + pack(v) for k, v in value.items())
    if isinstance(value, list):
        return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(pack, value))
    if isinstance(value, str):
        return struct.pack(">BI", 0xDB, len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">BQ", 0xCF, value)
    assert isinstance(value, Packed)
    return value.content


class Packed:
    """Bytes that are MessagePack already."""

    def __init__(self, content: bytes) -> None:
        self.content = content


def ndarray(shape: list[int], data: bytes = FOUR_FLOATS, length: int | None = None, dtype: str = "float32") -> Packed:
    content = pack([shape, dtype, data])
    return Packed(struct.pack(">BIb", 0xC9, len(content) if length is None else length, 1) + content)


def flax(weight: object) -> bytes:
    return pack({"weight": weight})


def chunks(shape: list[int], *parts: Packed) -> dict[str, object]:
    numbered = {str(i): part for i, part in enumerate(parts)}
    return {
        "__msgpack_chunked_array__": True,
        "shape": {str(i): size for i, size in enumerate(shape)},
        "chunks": numbered,
    }


FLAX_CASES = [
    Case(76, "honest", "an array", lambda: flax(ndarray([4])), tensors=WEIGHT),
    Case(76, "shape", "more elements than bytes", lambda: flax(ndarray([1 << 20])), CHECKPOINT),
    Case(76, "overflow", "2^64 elements", lambda: flax(ndarray([1 << 32, 1 << 32])), OVERFLOW),
    Case(76, "extension", "an array longer than the file", lambda: flax(ndarray([4], length=1 << 31)),
         (*CHECKPOINT, "UnknownFormat")),
    Case(76, "count", "a map of 2^32 - 1 keys",
         lambda: pack({"weight": ndarray([4]), "more": Packed(b"\xdf" + b"\xff" * 4)}),
         (*LIMIT, *CHECKPOINT)),
    Case(76, "deep", "a thousand maps in each other",
         lambda: pack({"weight": ndarray([4]), "deep": Packed(b"\x81\xa1a" * 1000 + b"\xc0")}),
         (*LIMIT, *CHECKPOINT)),
    Case(76, "twice", "a key twice",
         lambda: struct.pack(">BI", 0xDF, 2) + (pack("weight") + ndarray([4]).content) * 2,
         ("DuplicateKey", *CHECKPOINT)),
    Case(76, "chunks", "chunks of another number of bytes",
         lambda: flax(chunks([8], ndarray([4]), ndarray([2], FOUR_FLOATS[:8]))), CHECKPOINT),
    Case(76, "chunk-types", "chunks of unlike types",
         lambda: flax(chunks([8], ndarray([4]), ndarray([4], dtype="int32"))), CHECKPOINT),
    Case(76, "objects", "an array of objects", lambda: flax(ndarray([4], dtype="object")), (*UNSUPPORTED, *CHECKPOINT)),
]  # fmt: skip
