"""Honest torch checkpoints, as small as they come: what the hostile ones are made from."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from pickles import ORDERED_DICT, STOP, Code, call, dump, name, persistent, proto, value
from zips import Entry, Zip

FOUR_FLOATS = struct.pack("<4f", 1, 2, 3, 4)

# What converted files hold: name -> (dtype, shape, bytes).
Tensors = dict[str, tuple[str, list[int], bytes]]
WEIGHT: Tensors = {"weight": ("F32", [2, 2], FOUR_FLOATS)}


def storage(key: object = "0", numel: object = 4, kind: str = "FloatStorage", *more: object) -> Code:
    return persistent("storage", name("torch", kind), key, "cpu", numel, *more)


def tensor(
    of: Code | None = None, shape: Sequence[int] = (2, 2), stride: Sequence[int] | None = None, offset: int = 0
) -> Code:
    """A call of _rebuild_tensor_v2."""
    strides = contiguous(shape) if stride is None else tuple(stride)
    arguments = (of or storage(), offset, tuple(shape), strides, False, ORDERED_DICT)
    return call(name("torch._utils", "_rebuild_tensor_v2"), *arguments)


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= max(size, 1)
    return tuple(strides)


def entries(
    state: object = None, records: dict[str, bytes] | None = None, root: str = "archive/", protocol: int = 2
) -> list[Entry]:
    """The records of a zip checkpoint in torch's order."""
    content = {"weight": tensor()} if state is None else state
    made = [Entry(root + "data.pkl", dump(content, protocol)), Entry(root + "byteorder", b"little")]
    storages = {"0": FOUR_FLOATS} if records is None else records
    made += [Entry(f"{root}data/{key}", data) for key, data in storages.items()]
    return [*made, Entry(root + "version", b"3\n")]


def zipped(state: object = None, records: dict[str, bytes] | None = None, protocol: int = 2) -> bytes:
    return Zip(entries(state, records, protocol=protocol)).build()


def one_tensor(made: Code, record: bytes = FOUR_FLOATS) -> bytes:
    """A checkpoint of the one tensor `weight`."""
    return zipped({"weight": made}, {"0": record})


MAGIC = proto(2) + b"\x8a\x0a" + 0x1950A86A20F9469CFC6C.to_bytes(10, "little") + STOP
SYSTEM_INFO = {
    "protocol_version": 1001,
    "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}


def record(data: bytes = FOUR_FLOATS, count: int | None = None, item_bytes: int = 4) -> bytes:
    """A storage at the end of a legacy stream."""
    return struct.pack("<q", len(data) // item_bytes if count is None else count) + data


def legacy(
    state: object = None,
    keys: Sequence[str] = ("0",),
    records: Iterable[bytes] = (record(),),
    magic: bytes = MAGIC,
) -> bytes:
    """A stream as torch 0.1.10 to 1.5 wrote it."""
    content = {"weight": tensor(legacy_storage())} if state is None else state
    head = magic + dump(1001) + dump(SYSTEM_INFO) + dump(content)
    return head + dump(list(keys)) + b"".join(records)


def legacy_storage(key: str = "0", numel: int = 4, view: object = None) -> Code:
    return storage(key, numel, "FloatStorage", view)


def nested(depth: int) -> bytes:
    """A stream of one storage within a stream within a stream ..."""
    inner = legacy(legacy_storage())
    for _ in range(depth):
        inner = legacy(call(name("torch.storage", "_load_from_bytes"), inner), (), ())
    return inner


def plain(made: object) -> bytes:
    """What pickle.dump writes: each storage is a legacy stream of its own."""
    return proto(3) + value(made) + STOP


def loaded(stream: bytes) -> Code:
    return call(name("torch.storage", "_load_from_bytes"), stream)
