#!/usr/bin/env python3
"""What it costs to open a file for its header: Weighbridge beside the safetensors wheel.

    cmake --preset release && cmake --build --preset release --target weighbridge_shared
    bench/header_open.py [--library build/release/src/libweighbridge.so] [--rounds 15]

Needs the safetensors wheel. Headers of 300, 100 000 and 600 000 tensors in the layout that writers use, and
of 100 000 tensors made to be slow to read. Both open, check and index the whole header; every round opens
every file both ways once, in an order that alternates. Printed are medians of the time that the thread was
on a processor, so that other work on the machine counts as little as possible, and
their ratio. The first round is not counted.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import random
import struct
import tempfile
import time
from pathlib import Path
from statistics import median

from safetensors import SafetensorError, safe_open

ROOT = Path(__file__).resolve().parent.parent
PARTS = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj", "input_layernorm"]


def tensors(count: int) -> list[tuple[str, dict]]:
    """Entries such as those of a large mixture of experts."""
    entries, begin = [], 0
    for i in range(count):
        dtype, bits = ("F32", 32) if i % 11 == 0 else ("BF16", 16)
        shape = [32, i % 40 + 1]
        end = begin + shape[0] * shape[1] * bits // 8
        name = f"model.layers.{i // 200}.experts.{i % 200 // 6}.{PARTS[i % 6]}.weight.{i}"
        entries.append((name, {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}))
        begin = end
    return entries


def text(entries: list[tuple[str, dict]], **style: object) -> str:
    style.setdefault("separators", (",", ":"))
    return json.dumps({"__metadata__": {"format": "pt"}, **dict(entries)}, **style)


def escaped(entries: list[tuple[str, dict]]) -> str:
    members = ("".join(f"\\u{ord(c):04x}" for c in name) for name, _ in entries)
    bodies = (json.dumps(body, separators=(",", ":")) for _, body in entries)
    return "{" + ",".join(f'"{name}":{body}' for name, body in zip(members, bodies, strict=True)) + "}"


def repeated(entries: list[tuple[str, dict]]) -> str:
    body = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    return "{" + ",".join(f'"name":{body}' for _ in entries) + "}"


def headers() -> dict[str, tuple[str, list]]:
    large = tensors(100_000)
    shuffled = random.Random(1).sample(large, len(large))
    turned = [(name, dict(reversed(body.items()))) for name, body in large]
    unknown = [(name, {**body, "x": [1, {"y": None}]}) for name, body in large]
    return {
        "300 tensors": (text(tensors(300)), tensors(300)),
        "100k tensors": (text(large), large),
        "600k tensors": (text(tensors(600_000)), tensors(600_000)),
        "100k, spaces": (text(large, separators=(", ", ": ")), large),
        "100k, indented": (text(large, separators=(",", ": "), indent=2), large),
        "100k, fields turned": (text(turned), large),
        "100k, shuffled": (text(shuffled), large),
        "100k, unknown fields": (text(unknown), large),
        "100k, all escaped": (escaped(large), large),
        "100k, one name": (repeated(large), []),
    }


def write(path: Path, header: str, entries: list) -> int:
    raw = header.encode()
    raw += b" " * (-len(raw) % 8)
    data = max((body["data_offsets"][1] for _, body in entries), default=0)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + data)  # the data are a hole: nobody reads them
    return len(raw)


class Library:
    """wb_open and wb_close of the C interface."""

    def __init__(self, path: Path) -> None:
        self.native = ctypes.CDLL(str(path))
        self.native.wb_tensor_count.restype = ctypes.c_size_t
        self.native.wb_tensor_count.argtypes = self.native.wb_close.argtypes = [ctypes.c_void_p]
        self.native.wb_close.restype = None

    def open(self, path: bytes) -> float:
        file = ctypes.c_void_p()
        start = time.thread_time()
        status = self.native.wb_open(path, ctypes.byref(file), None)
        elapsed = time.thread_time() - start
        if status == 0:
            self.native.wb_close(file)
        return elapsed


def open_wheel(path: bytes) -> float:
    start = time.thread_time()
    try:
        file = safe_open(os.fsdecode(path), framework="numpy")
    except SafetensorError:
        return time.thread_time() - start
    elapsed = time.thread_time() - start
    file.__exit__(None, None, None)
    return elapsed


def measure(library: Library, path: bytes, rounds: int) -> tuple[float, float]:
    """Medians in milliseconds: ours, the wheel's."""
    ours, wheel = [], []
    for i in range(rounds + 1):
        if i % 2 == 0:
            ours.append(library.open(path))
            wheel.append(open_wheel(path))
        else:
            wheel.append(open_wheel(path))
            ours.append(library.open(path))
    return median(ours[1:]) * 1000, median(wheel[1:]) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=Path, default=ROOT / "build" / "release" / "src" / "libweighbridge.so")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    library = Library(arguments.library)
    print(
        f"{platform.machine()}, Linux {platform.release()}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}"
    )
    print(f"{'header':<21} {'MB':>6} {'ours ms':>8} {'wheel ms':>9} {'ratio':>6} {'ns/byte':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, (header, entries) in headers().items():
            path = Path(folder) / "file.safetensors"
            size = write(path, header, entries)
            ours, wheel = measure(library, os.fsencode(path), arguments.rounds)
            print(
                f"{name:<21} {size / 1e6:6.2f} {ours:8.3f} {wheel:9.2f} {wheel / ours:6.1f} {ours / size * 1e6:8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
