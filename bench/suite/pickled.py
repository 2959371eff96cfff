"""A checkpoint such as torch.save writes, made without torch: the same bytes on every machine."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

VALUES = 16  # Of F32 in each tensor.
MARK, TUPLE, EMPTY_DICT, SET_ITEMS, REDUCE, PERSISTENT, STOP = b"(", b"t", b"}", b"u", b"R", b"Q", b"."
FALSE = b"\x89"


def text(characters: str) -> bytes:
    encoded = characters.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def function(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def tuple_of(*parts: bytes) -> bytes:
    return MARK + b"".join(parts) + TUPLE


def tensor(key: str) -> bytes:
    """A call of torch's function that makes a tensor of a storage."""
    kind = function("torch", "FloatStorage")
    storage = tuple_of(text("storage"), kind, text(key), text("cpu"), number(VALUES)) + PERSISTENT
    hooks = function("collections", "OrderedDict") + tuple_of() + REDUCE
    shape, strides = tuple_of(number(4), number(4)), tuple_of(number(4), number(1))
    arguments = tuple_of(storage, number(0), shape, strides, FALSE, hooks)
    return function("torch._utils", "_rebuild_tensor_v2") + arguments + REDUCE


def pickle_of(count: int) -> bytes:
    items = b"".join(text(f"model.layers.{i}.weight") + tensor(str(i)) for i in range(count))
    return b"\x80\x02" + EMPTY_DICT + MARK + items + SET_ITEMS + STOP


def write_checkpoint(path: Path, count: int) -> None:
    """`count` tensors of 4 x 4, each with a storage of its own."""
    with zipfile.ZipFile(path, "w") as archive:

        def add(name: str, content: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), content)

        add("data.pkl", pickle_of(count))
        for i in range(count):
            add(f"data/{i}", struct.pack(f"<{VALUES}f", *range(VALUES)))
        add("version", b"3\n")
