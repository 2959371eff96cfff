"""Case 73: ONNX."""

from __future__ import annotations

import os
from pathlib import Path

from case import DANGEROUS, Case, Files
from checkpoints import FOUR_FLOATS
from expected import CHECKPOINT, LIMIT, OUTSIDE, OVERFLOW, WEIGHT


def number(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(field: int, content: bytes | str, length: int | None = None) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return number(field << 3 | 2) + number(len(data) if length is None else length) + data


def varint(field: int, value: int) -> bytes:
    return number(field << 3) + number(value)


def initializer(*fields: bytes, dims: tuple[int, ...] = (4,)) -> bytes:
    """The tensor 'weight' of floats; `fields` say where its data is."""
    return b"".join(varint(1, size) for size in dims) + varint(2, 1) + message(8, "weight") + b"".join(fields)


def located(location: str, **more: str) -> bytes:
    """A tensor whose data is in another file."""
    entries = [("location", location), *more.items()]
    return initializer(
        *(message(13, message(1, key.rstrip("_")) + message(2, value)) for key, value in entries), varint(14, 1)
    )


def model(tensor: bytes = b"", graph: bytes = b"", rest: bytes = b"") -> bytes:
    content = (message(5, tensor) if tensor else b"") + message(2, "graph") + graph
    return varint(1, 8) + message(7, content) + message(8, varint(2, 17)) + rest


def beside(location: str, data: bytes = FOUR_FLOATS, **more: str) -> Files:
    """A model and its data."""
    return {"model.onnx": model(located(location, **more)), "weights": data}


def node(op: str, attribute: bytes = b"") -> bytes:
    return message(4, op) + (message(5, attribute) if attribute else b"")


def nested(depth: int) -> bytes:
    """Branches within branches."""
    graph = message(2, "innermost")
    for _ in range(depth):
        graph = message(1, node("If", message(1, "then_branch") + message(6, graph)))
    return model(graph=graph)


def function(name: str, calls: str) -> bytes:
    return message(25, message(1, name) + message(7, node(calls) + message(7, "own")) + message(10, "own"))


def link_weights(folder: Path) -> None:
    (folder / "weights").unlink()
    (folder / "weights").symlink_to("/etc/passwd")


def pipe_weights(folder: Path) -> None:
    (folder / "weights").unlink()
    os.mkfifo(folder / "weights")


RAW = message(9, FOUR_FLOATS)

ONNX_CASES = [
    Case(73, "honest", "data in the model", lambda: model(initializer(RAW)), tensors=WEIGHT),
    Case(73, "beside", "data beside the model", lambda: beside("weights"), tensors=WEIGHT),
    *(Case(73, variant, f"data in {location!r}", lambda location=location: beside(location), CHECKPOINT,
           scan=DANGEROUS)
      for variant, location in [
          ("climbs", "../weights"), ("inside-out", "a/../../weights"), ("absolute", "/etc/passwd"),
          ("drive", "C:\\weights"), ("backslash", "..\\weights"), ("url", "file:///etc/passwd"),
          ("memory", "*/_ORT_MEM_ADDR_/*")]),
    Case(73, "nul", "a location with a NUL", lambda: beside("weights\0.bin"), CHECKPOINT, scan=(0, 1, 4)),
    Case(73, "folder", "data that is the folder", lambda: beside("."), CHECKPOINT, scan=(0, 1, 4)),
    Case(73, "missing", "data that is not there", lambda: beside("nothing"), OUTSIDE),
    Case(73, "symlink", "data that is a link to /etc/passwd", lambda: beside("weights"), OUTSIDE,
         message="symbolic link", prepare=link_weights),
    Case(73, "pipe", "data that is a pipe", lambda: beside("weights"), OUTSIDE, prepare=pipe_weights),
    Case(73, "negative", "an offset of -1", lambda: beside("weights", offset="-1"), CHECKPOINT),
    Case(73, "beyond", "an offset beyond the file", lambda: beside("weights", offset="8"), CHECKPOINT),
    Case(73, "overflow", "offset and length of 2^64 together",
         lambda: beside("weights", offset=str((1 << 64) - 8), length="16"), CHECKPOINT),
    Case(73, "length", "a length that is not the tensor's", lambda: beside("weights", length="8"), CHECKPOINT),
    Case(73, "twice", "two locations", lambda: beside("weights", location_="/etc/passwd"), CHECKPOINT,
         scan=(0, 1, 4)),
    Case(73, "both", "data inside and outside", lambda: model(located("weights") + RAW), CHECKPOINT),
    Case(73, "raw-twice", "raw data that stands there twice", lambda: model(initializer(RAW, RAW)), CHECKPOINT),
    Case(73, "graph-twice", "two graphs", lambda: model(initializer(RAW), rest=message(7, message(2, "evil"))),
         CHECKPOINT),
    Case(73, "nibbles", "three numbers of 4 bits in three bytes",
         lambda: model(varint(1, 3) + varint(2, 21) + message(8, "weight") + message(9, b"\0" * 3)), CHECKPOINT),
    Case(73, "dims", "2^64 elements", lambda: model(initializer(RAW, dims=(1 << 32, 1 << 32))), OVERFLOW),
    Case(73, "dims-negative", "-4 elements", lambda: model(initializer(RAW, dims=(-4,))), CHECKPOINT),
    Case(73, "longer", "a message longer than the file",
         lambda: varint(1, 8) + message(7, message(2, "graph"), 1 << 40), CHECKPOINT),
    Case(73, "deep", "branches a thousand deep", lambda: nested(1000), (*LIMIT, *CHECKPOINT)),
    Case(73, "recursion", "functions that call each other",
         lambda: model(initializer(RAW), rest=function("f", "g") + function("g", "f")), CHECKPOINT),
]  # fmt: skip
