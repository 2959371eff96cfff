"""The files that the rows read. Made once, of the same bytes in every run."""

from __future__ import annotations

import json
import os
import random
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

MIB = 2**20
PARTS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj", "input_layernorm")
HEADER_CAP = 100_000_000  # Of the format.
Entry = tuple[str, dict[str, Any]]


def made(path: Path, make: Callable[[Path], object]) -> Path:
    """The file, made first where it is missing; what is left of an attempt that was interrupted never counts."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.unfinished")
        make(unfinished)
        unfinished.rename(path)
    return path


def entries(count: int) -> list[Entry]:
    """Tensors such as those of a large mixture of experts."""
    found, begin = [], 0
    for i in range(count):
        dtype, bits = ("F32", 32) if i % 11 == 0 else ("BF16", 16)
        shape = [32, i % 40 + 1]
        end = begin + shape[0] * shape[1] * bits // 8
        name = f"model.layers.{i // 200}.experts.{i % 200 // 6}.{PARTS[i % 6]}.weight.{i}"
        found.append((name, {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}))
        begin = end
    return found


def text(tensors: Iterable[Entry], **style: Any) -> str:
    """A header as writers give it, or in another style of JSON."""
    style.setdefault("separators", (",", ":"))
    return json.dumps({"__metadata__": {"format": "pt"}, **dict(tensors)}, **style)


def write_header(path: Path, header: str, tensors: Iterable[Entry]) -> None:
    """A file of that header whose data are a hole: nobody reads them."""
    raw = header.encode()
    raw += b" " * (-len(raw) % 8)
    data = max((body["data_offsets"][1] for _, body in tensors), default=0)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + data)


def header_file(folder: Path, count: int) -> Path:
    """A file of `count` tensors in the layout that writers use."""

    def make(path: Path) -> None:
        tensors = entries(count)
        write_header(path, text(tensors), tensors)

    return made(folder / f"header-{count}.safetensors", make)


def escaped(tensors: list[Entry]) -> str:
    names = ("".join(f"\\u{ord(c):04x}" for c in name) for name, _ in tensors)
    bodies = (json.dumps(body, separators=(",", ":")) for _, body in tensors)
    return "{" + ",".join(f'"{name}":{body}' for name, body in zip(names, bodies, strict=True)) + "}"


def repeated(tensors: list[Entry]) -> str:
    body = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    return "{" + ",".join(f'"name":{body}' for _ in tensors) + "}"


HOSTILE: dict[str, Callable[[list[Entry]], str]] = {
    "spaces": lambda tensors: text(tensors, separators=(", ", ": ")),
    "indented": lambda tensors: text(tensors, separators=(",", ": "), indent=2),
    "fields turned": lambda tensors: text((name, dict(reversed(body.items()))) for name, body in tensors),
    "shuffled": lambda tensors: text(random.Random(1).sample(tensors, len(tensors))),
    "unknown fields": lambda tensors: text((name, {**body, "x": [1, {"y": None}]}) for name, body in tensors),
    "all escaped": escaped,
    "one name": repeated,
}


def hostile_file(folder: Path, kind: str, count: int) -> Path:
    """A file of `count` tensors whose header is made to be slow to read."""

    def make(path: Path) -> None:
        tensors = entries(count)
        write_header(path, HOSTILE[kind](tensors), [] if kind == "one name" else tensors)

    return made(folder / f"hostile-{kind.replace(' ', '-')}-{count}.safetensors", make)


def longest_count(scale: float) -> int:
    """How many tensors fill the longest header that the format allows."""
    per_tensor = len(text(entries(2000))) / 2000
    return max(2, int(HEADER_CAP * 0.97 / (per_tensor + 8) * scale))


def arrays(bytes_in_all: int, count: int, columns: int = 1024) -> dict[str, Any]:
    """`count` matrices of F32 with random bytes."""
    import numpy as np

    rows = max(8, bytes_in_all // count // 4 // columns)
    chance = np.random.default_rng(1)
    return {f"layers.{i}.weight": chance.random((rows, columns), dtype=np.float32) for i in range(count)}


def tiny_arrays(count: int) -> dict[str, Any]:
    """`count` tensors of 4 F32 each, named as those of a mixture of experts."""
    import numpy as np

    values = np.arange(4 * count, dtype=np.float32).reshape(count, 4)
    return {f"model.layers.{i % 61}.mlp.experts.{i // 61}.scale": values[i] for i in range(count)}


def large_file(folder: Path, scale: float, mebibytes: int = 1024, count: int = 64) -> Path:
    """`count` tensors of random F32 in so many mebibytes, times `scale`."""

    def make(path: Path) -> None:
        import safetensors.numpy

        safetensors.numpy.save_file(arrays(int(mebibytes * MIB * scale), count), path)
        sync(path)

    return made(folder / f"large-{mebibytes}-{count}.safetensors", make)


def tiny_file(folder: Path, count: int) -> Path:
    def make(path: Path) -> None:
        import safetensors.numpy

        safetensors.numpy.save_file(tiny_arrays(count), path)
        sync(path)

    return made(folder / f"tiny-{count}.safetensors", make)


def sync(path: Path) -> None:
    """Nothing of the file is left to be written while others are measured."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """The names of its files are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)
