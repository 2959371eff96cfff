"""Case 77: checkpoints of TensorFlow."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import tables
from case import Case, Files
from checkpoints import FOUR_FLOATS
from expected import CHECKPOINT, LIMIT, OUTSIDE, OVERFLOW, UNSUPPORTED, WEIGHT
from onnx_cases import message, number, varint
from tables import (
    DATA,
    INDEX,
    beside_data,
    block,
    checkpoint,
    entry,
    extent,
    handle,
    header,
    in_parts,
    item,
    sealed,
    table,
)

START = item(b"", header())
HONEST = block(START, item(b"weight", entry(4)))


def with_footer(end: bytes) -> Files:
    return beside_data(table(sealed(HONEST), end=end))


def placed(*handles: bytes) -> Files:
    """An index that says otherwise where its blocks lie."""
    return beside_data(table(sealed(HONEST), handles=list(handles)))


def one_block(content: bytes, compression: int = 0, crc: bytes | None = None) -> Files:
    return beside_data(table(sealed(content, compression, crc)))


def one_entry(value: bytes) -> Files:
    return checkpoint({b"weight": value})


def parts(*extents: tuple[int, int], whole: tuple[int, ...] = (4,)) -> Files:
    """A variable of floats in parts; each of them lies where the bytes for it would."""
    entries = {b"weight": in_parts(*whole, parts=[extent(each) for each in extents])}
    for start, length in extents:
        data = FOUR_FLOATS[4 * start : 4 * (start + length)]
        place = entry(length, offset=4 * start, size=4 * length, data=data)
        entries[tables.part_key("weight", (start, length))] = place
    return checkpoint(entries)


def packed(size: int, *elements: bytes) -> Files:
    """A block compressed by snappy, which says how large it is."""
    return one_block(number(size) + b"".join(elements), compression=1)


def literal(data: bytes) -> bytes:
    return b"\xf4" + struct.pack("<H", len(data) - 1) + data


def without_data(folder: Path) -> None:
    (folder / DATA).unlink()


def link_data(folder: Path) -> None:
    without_data(folder)
    (folder / DATA).symlink_to("/etc/passwd")


def device_as_data(folder: Path) -> None:
    without_data(folder)
    (folder / DATA).symlink_to("/dev/zero")


def pipe_data(folder: Path) -> None:
    without_data(folder)
    os.mkfifo(folder / DATA)


def folder_as_data(folder: Path) -> None:
    without_data(folder)
    (folder / DATA).mkdir()


def data_elsewhere(folder: Path) -> None:
    """As the caches of download tools have it."""
    (folder / "blobs").mkdir()
    (folder / DATA).rename(folder / "blobs/data")
    (folder / DATA).symlink_to("blobs/data")


MANY = 1 << 40

TENSORFLOW_CASES = [
    Case(77, "honest", "a tensor", checkpoint, tensors=WEIGHT),
    Case(77, "honest-parts", "a variable in two parts", lambda: parts((0, 1), (1, 3)), tensors=WEIGHT),
    Case(77, "honest-packed", "a compressed block", lambda: packed(len(HONEST), literal(HONEST)), tensors=WEIGHT),
    # The footer, and the places of blocks.
    Case(77, "magic", "a footer of another magic number",
         lambda: with_footer(tables.footer(handle(0, 1), b"\x57\xfb\x80\x8b\x24\x75\x47\xda")), ("UnknownFormat",)),
    Case(77, "footer", "a footer and nothing before it",
         lambda: beside_data(tables.footer(handle(0, 0))), CHECKPOINT, message="has the CRC-32C"),
    Case(77, "footer-endless", "a footer of numbers that do not end", lambda: with_footer(b"\xff" * 40 + tables.MAGIC),
         CHECKPOINT, message="has no end"),
    Case(77, "index-beyond", "an index of blocks beyond the file",
         lambda: with_footer(tables.footer(handle(MANY, 8))), CHECKPOINT, message=f"at byte {MANY}"),
    Case(77, "index-overflow", "an index whose place and size are 2^64 together",
         lambda: with_footer(tables.footer(handle((1 << 64) - 8, 8))), CHECKPOINT),
    Case(77, "index-of-itself", "an index of blocks that is its own block",
         lambda: one_block(block(item(b"", handle(0, 14)))), CHECKPOINT),
    Case(77, "block-beyond", "a block beyond the file", lambda: placed(handle(MANY, 8)), CHECKPOINT,
         message=f"at byte {MANY}"),
    Case(77, "block-huge", "a block of 2^64 - 1 bytes", lambda: placed(handle(0, (1 << 64) - 1)), CHECKPOINT),
    Case(77, "block-again", "one block a thousand times", lambda: placed(*[handle(0, len(HONEST))] * 1000), CHECKPOINT,
         message="overlap or are out of order"),
    Case(77, "block-crc", "a block of another checksum", lambda: one_block(HONEST, crc=b"\0\0\0\0"), CHECKPOINT,
         message="has the CRC-32C"),
    Case(77, "block-method", "a block compressed by no known method", lambda: one_block(HONEST, compression=4),
         CHECKPOINT, message="compressed by method 4"),
    Case(77, "block-empty", "a block of no bytes", lambda: one_block(b""), CHECKPOINT),
    Case(77, "offsets", "2^32 - 1 offsets behind a block", lambda: one_block(block(START, offsets=b"\xff" * 4)),
         CHECKPOINT, message="4294967295 offsets"),
    # Compressed blocks.
    Case(77, "snappy-bomb", "a block of 2^60 bytes, it says", lambda: packed(1 << 60, literal(HONEST)), LIMIT),
    Case(77, "snappy-copies", "64 MiB of copies in 3 MiB, and then no end",
         lambda: packed(1 << 26, literal(b"\0"), b"\xfe\1\0" * (1 << 20)), CHECKPOINT, memory=1 << 29, slow=True),
    Case(77, "snappy-longer", "more than it says", lambda: packed(len(HONEST) - 1, literal(HONEST)), CHECKPOINT,
         message="longer than it says"),
    Case(77, "snappy-shorter", "less than it says", lambda: packed(len(HONEST) + 1, literal(HONEST)), CHECKPOINT,
         message=f"says {len(HONEST) + 1}"),
    Case(77, "snappy-before", "a copy from before the start", lambda: packed(5, literal(b"a"), b"\x0e\2\0"), CHECKPOINT,
         message="goes back 2 bytes of 1"),
    Case(77, "snappy-nowhere", "a copy from where it goes", lambda: packed(5, literal(b"a"), b"\x0e\0\0"), CHECKPOINT,
         message="goes back 0 bytes"),
    # Keys.
    Case(77, "shared", "a key that shares more than there is",
         lambda: one_block(block(START, item(b"weight", entry(4), shared=1))), CHECKPOINT, message="shares 1 bytes"),
    Case(77, "shared-overflow", "a key whose parts are 2^64 together",
         lambda: one_block(block(START, item(b"a", entry(4)),
                                 number(1) + number((1 << 64) - 1) + number(4) + b"rest")), (*LIMIT, *CHECKPOINT)),
    Case(77, "key-bomb", "8000 keys of 64 KiB in 400 KB, for they share all but four bytes",
         lambda: one_block(block(START, item(b"a" * 65531 + b"0000", entry(4)),
                                 *(item(b"%04x" % i, entry(4), shared=65531) for i in range(1, 8000)))),
         LIMIT, slow=True),
    Case(77, "value", "a value longer than its block",
         lambda: one_block(block(START, item(b"weight", entry(4), length=MANY))), CHECKPOINT,
         message=f"{MANY} bytes are announced"),
    Case(77, "twice", "a key twice", lambda: one_block(block(START, *[item(b"weight", entry(4))] * 2)), CHECKPOINT,
         message="out of order"),
    Case(77, "no-header", "an index without its header", lambda: one_block(block(item(b"weight", entry(4)))),
         CHECKPOINT, message="does not start with its header"),
    Case(77, "no-utf-8", "a name that is not UTF-8", lambda: checkpoint({b"\xc0\xaf": entry(4)}), CHECKPOINT,
         message="is not UTF-8"),
    # Messages.
    Case(77, "version-1", "a checkpoint of version 1",
         lambda: one_block(block(item(b"", message(1, b"slices")))), UNSUPPORTED),
    Case(77, "group", "a message with a group", lambda: one_entry(b"\x0b"), CHECKPOINT),
    Case(77, "message-longer", "a shape longer than its entry", lambda: one_entry(message(2, b"", MANY)), CHECKPOINT),
    Case(77, "dims", "2^64 elements", lambda: one_entry(entry(1 << 32, 1 << 32)), OVERFLOW),
    Case(77, "dims-negative", "-4 elements", lambda: one_entry(entry(-4)), CHECKPOINT, message="negative"),
    Case(77, "dims-many", "a shape of 100 000 dimensions", lambda: one_entry(entry(*[1] * 100_000)), CHECKPOINT,
         message="more than 254 dimensions"),
    Case(77, "rank", "a shape of no known rank", lambda: one_entry(varint(1, 1) + message(2, varint(3, 1))), CHECKPOINT,
         message="no known rank"),
    Case(77, "size", "more elements than bytes", lambda: one_entry(entry(1 << 20)), CHECKPOINT,
         message="needs 4194304"),
    # The data.
    Case(77, "shard", "the second data file of one", lambda: one_entry(entry(4, shard=1)), CHECKPOINT,
         message="is in file 1 of 1"),
    Case(77, "shard-huge", "the 2^64th data file", lambda: one_entry(entry(4, shard=(1 << 64) - 1)), CHECKPOINT),
    Case(77, "shards-huge", "2^64 - 1 data files, it says",
         lambda: beside_data(tables.index(shards=(1 << 64) - 1)), CHECKPOINT,
         message="is not beside its index"),
    Case(77, "missing", "data that is not there", checkpoint, CHECKPOINT, message="is not beside its index",
         prepare=without_data),
    Case(77, "beyond", "an offset beyond the data", lambda: one_entry(entry(4, offset=8)), CHECKPOINT,
         message="has 16 bytes at byte 8 of 16"),
    Case(77, "overflow", "an offset and size of 2^64 together", lambda: one_entry(entry(4, offset=(1 << 64) - 16)),
         CHECKPOINT),
    Case(77, "negative", "an offset of -1", lambda: one_entry(entry(4, offset=-1)), CHECKPOINT),
    Case(77, "crc", "a tensor of another checksum", lambda: one_entry(entry(4, crc=b"\0\0\0\0")), CHECKPOINT,
         message="tensor 'weight' has the CRC-32C"),
    Case(77, "link", "data that is a link within the folder, as download tools leave it", checkpoint, tensors=WEIGHT,
         prepare=data_elsewhere),
    Case(77, "link-out", "data that is a link to /etc/passwd, whose checksum nobody knows", checkpoint, CHECKPOINT,
         message="has the CRC-32C", prepare=link_data),
    Case(77, "device", "data that is a link to /dev/zero", checkpoint, OUTSIDE, prepare=device_as_data),
    Case(77, "pipe", "data that is a pipe", checkpoint, OUTSIDE, prepare=pipe_data),
    Case(77, "folder", "data that is a folder", checkpoint, OUTSIDE, prepare=folder_as_data),
    # Variables in parts.
    Case(77, "parts-overlap", "parts that overlap", lambda: parts((0, 3), (1, 3)), CHECKPOINT),
    Case(77, "parts-gap", "parts with a gap between them", lambda: parts((0, 1), (2, 2)), CHECKPOINT),
    Case(77, "parts-beyond", "parts beyond their variable", lambda: parts((0, 4), whole=(3,)), CHECKPOINT),
    Case(77, "parts-dims", "a variable of 2^62 in a part of 4", lambda: parts((0, 4), whole=(1 << 62,)),
         (*CHECKPOINT, *OVERFLOW)),
    Case(77, "parts-missing", "a part that is not there",
         lambda: checkpoint({b"weight": in_parts(4, parts=[extent((0, 4))])}), CHECKPOINT,
         message="lacks one of its 1 parts"),
    Case(77, "parts-stray", "a part of nothing",
         lambda: checkpoint({b"weight": entry(4), tables.part_key("other", (0, 4)): entry(4)}), CHECKPOINT,
         message="belong to no variable"),
    Case(77, "parts-in-parts", "a part that is in parts",
         lambda: checkpoint({b"weight": in_parts(4, parts=[extent((0, 4))]),
                             tables.part_key("weight", (0, 4)): in_parts(4, parts=[extent((0, 4))])}), CHECKPOINT),
    # What the index does not name.
    Case(77, "name", "an index of another name", lambda: {"model.pb": checkpoint()[INDEX]}, UNSUPPORTED),
]  # fmt: skip
