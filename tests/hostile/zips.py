"""Zip archives written field by field, so that any field can lie."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

STORED, DEFLATED, BZIP2 = 0, 8, 12
SYMLINK = 0o120777 << 16


@dataclass
class Entry:
    """A file of an archive. What is None is told as it is."""

    name: str | bytes
    data: bytes
    method: int = STORED
    packed: bytes | None = None  # The bytes as stored.
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    flags: int = 0
    local_name: str | bytes | None = None
    local_flags: int | None = None
    local_sizes: bool = True
    offset: int | None = None
    attributes: int = 0
    zip64: bytes | None = None  # Content of the zip64 field in the directory.

    def encoded(self, local: bool = False) -> bytes:
        chosen = self.local_name if local and self.local_name is not None else self.name
        return chosen.encode() if isinstance(chosen, str) else chosen

    def stored(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflate(self.data) if self.method == DEFLATED else self.data

    def numbers(self) -> tuple[int, int, int]:
        """CRC, packed size and size as the directory tells them."""
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        packed = len(self.stored()) if self.packed_size is None else self.packed_size
        return crc, packed, len(self.data) if self.size is None else self.size


@dataclass
class Zip:
    """An archive, and what may be wrong with it as a whole."""

    entries: list[Entry]
    comment: bytes = b""
    prefix: bytes = b""
    suffix: bytes = b""
    directory_offset: int | None = None
    zip64_end: bool = False
    fillers: dict[int, bytes] = field(default_factory=dict)  # Bytes before the entry of that number.

    def build(self) -> bytes:
        body = bytearray(self.prefix)
        directory = bytearray()
        for index, entry in enumerate(self.entries):
            body += self.fillers.get(index, b"")
            directory += central(entry, len(body) if entry.offset is None else entry.offset)
            body += local(entry)
        return bytes(body + directory + self.end(len(body), len(directory))) + self.suffix

    def end(self, at: int, length: int) -> bytes:
        offset = at if self.directory_offset is None else self.directory_offset
        count = len(self.entries)
        extra = b""
        if self.zip64_end:
            extra = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, length, offset)
            extra += struct.pack("<IIQI", 0x07064B50, 0, at + length, 1)
        count = min(count, 0xFFFF)
        return extra + end_record(count, length, min(offset, 0xFFFFFFFF), self.comment)


def end_record(count: int, length: int, offset: int, comment: bytes = b"") -> bytes:
    return struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, length, offset, len(comment)) + comment


def local(entry: Entry) -> bytes:
    flags = entry.flags if entry.local_flags is None else entry.local_flags
    crc, packed, size = entry.numbers() if entry.local_sizes else (0, 0, 0)
    named = entry.encoded(local=True)
    sizes = (crc, min(packed, 0xFFFFFFFF), min(size, 0xFFFFFFFF))
    head = struct.pack("<IHHHIIIIHH", 0x04034B50, 20, flags, entry.method, 0, *sizes, len(named), 0)
    return head + named + entry.stored()


def central(entry: Entry, offset: int) -> bytes:
    crc, packed, size = entry.numbers()
    sizes = (crc, min(packed, 0xFFFFFFFF), min(size, 0xFFFFFFFF))
    named = entry.encoded()
    extra = b"" if entry.zip64 is None else struct.pack("<HH", 1, len(entry.zip64)) + entry.zip64
    lengths = (len(named), len(extra), 0, 0, 0)
    head = struct.pack("<IHHHHIIII5H", 0x02014B50, 0x031E, 20, entry.flags, entry.method, 0, *sizes, *lengths)
    return head + struct.pack("<II", entry.attributes, min(offset, 0xFFFFFFFF)) + named + extra


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zeros_deflated(mebibytes: int) -> bytes:
    """So many MiB of zeros: one block that stands for 1 MiB, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * mebibytes + deflate(b"")
