"""Checkpoints of TensorFlow, written so that any field can lie: a table of leveldb, and the data beside it."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from case import Files
from checkpoints import FOUR_FLOATS
from onnx_cases import message, number, varint

FLOAT = 1
MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
ONE_OFFSET = struct.pack("<II", 0, 1)  # Behind the entries of a block: where the first of them starts, and how many.
INDEX = "model.index"
DATA = "model.data-00000-of-00001"


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked_crc(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def item(key: bytes, value: bytes, shared: int = 0, length: int | None = None) -> bytes:
    """An entry of a block; `key` without what it shares with the one before."""
    return number(shared) + number(len(key)) + number(len(value) if length is None else length) + key + value


def block(*items: bytes, offsets: bytes = ONE_OFFSET) -> bytes:
    return b"".join(items) + offsets


def sealed(content: bytes, compression: int = 0, crc: bytes | None = None) -> bytes:
    """A block as it stands in the file, whatever its bytes: with the checksum that they have, or another."""
    content += bytes([compression])
    return content + (masked_crc(content) if crc is None else crc)


def handle(offset: int, size: int) -> bytes:
    return number(offset) + number(size)


def footer(index: bytes, magic: bytes = MAGIC) -> bytes:
    return (handle(0, 0) + index).ljust(40, b"\0") + magic


def table(*blocks: bytes, handles: list[bytes] | None = None, end: bytes | None = None) -> bytes:
    """Sealed blocks, an index of them, and the footer; `handles` and `end` stand in place of the true ones."""
    body, places = b"", []
    for each in blocks:
        places.append(handle(len(body), len(each) - 5))
        body += each
    listed = block(*(item(b"~%d" % i, place) for i, place in enumerate(handles or places)))
    return body + sealed(listed) + (footer(handle(len(body), len(listed))) if end is None else end)


def shape(*sizes: int) -> bytes:
    return message(2, b"".join(message(2, varint(1, size)) for size in sizes))


def entry(
    *sizes: int, shard: int = 0, offset: int = 0, size: int = 16, data: bytes = FOUR_FLOATS, crc: bytes | None = None
) -> bytes:
    """Where a tensor of floats lies, and the checksum of its bytes."""
    said = masked_crc(data) if crc is None else crc
    place = varint(3, shard) + varint(4, offset) + varint(5, size)
    return varint(1, FLOAT) + shape(*sizes) + place + number(6 << 3 | 5) + said


def extent(*parts: tuple[int, int]) -> bytes:
    return b"".join(message(1, varint(1, start) + varint(2, length)) for start, length in parts)


def in_parts(*sizes: int, parts: list[bytes]) -> bytes:
    """The entry of a variable that was saved in parts."""
    return varint(1, FLOAT) + shape(*sizes) + b"".join(message(7, part) for part in parts)


def part_key(name: str, *extents: tuple[int, int]) -> bytes:
    """Of one dimension each, and of numbers below 64: a byte with its highest bit set."""
    coded = b"".join(bytes([0x80 | start, 0x80 | length]) for start, length in extents)
    return b"\0" + name.encode() + b"\0\1" + bytes([1, len(extents)]) + coded


def header(shards: int = 1) -> bytes:
    return varint(1, shards) + message(3, varint(1, 1))


def index(entries: Mapping[bytes, bytes] | None = None, shards: int = 1) -> bytes:
    """An honest index of any entries."""
    everything = {b"": header(shards), **({b"weight": entry(4)} if entries is None else entries)}
    return table(sealed(block(*(item(key, value) for key, value in sorted(everything.items())))))


def checkpoint(entries: Mapping[bytes, bytes] | None = None, data: bytes = FOUR_FLOATS, shards: int = 1) -> Files:
    return {INDEX: index(entries, shards), f"model.data-00000-of-{shards:05}": data}


def beside_data(made: bytes) -> Files:
    """Any bytes as the index, and the data that an honest one has."""
    return {INDEX: made, DATA: FOUR_FLOATS}
