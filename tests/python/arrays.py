"""numpy arrays of every kind, and what they are in a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# What each element type of numpy is called in a safetensors header, by its kind and size.
DTYPES = {
    "b1": "BOOL",
    "i1": "I8",
    "i2": "I16",
    "i4": "I32",
    "i8": "I64",
    "u1": "U8",
    "u2": "U16",
    "u4": "U32",
    "u8": "U64",
    "f2": "F16",
    "f4": "F32",
    "f8": "F64",
    "c8": "C64",
    "M8": "I64",
    "m8": "I64",
}


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file: all that can be known about it."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes


def read(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, read without anybody's library."""
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    data = content[8 + length :]
    return {
        name: Tensor(entry["dtype"], tuple(entry["shape"]), data[slice(*entry["data_offsets"])])
        for name, entry in header.items()
    }


def tensor_of(array: np.ndarray[Any, Any] | np.generic) -> Tensor:
    """The tensor that an array of numbers must become: row-major, little-endian."""
    values = np.asarray(array)
    little = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False))
    return Tensor(DTYPES[f"{values.dtype.kind}{values.dtype.itemsize}"], values.shape, little.tobytes())


def assert_same(expected: Mapping[str, np.ndarray[Any, Any] | np.generic], actual: Mapping[str, Tensor]) -> None:
    """The same names, and under each the same dtype, shape and bits."""
    assert sorted(expected) == sorted(actual)
    for name, array in expected.items():
        assert actual[name] == tensor_of(array), name


def random_array(dtype: str, *shape: int, seed: int = 1) -> np.ndarray[Any, Any]:
    """Random bits: NaNs of every kind, denormals and infinities among the numbers."""
    generator = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "b":
        return generator.integers(2, size=shape).astype(bool)
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(generator.bytes(count * np.dtype(dtype).itemsize), dtype).reshape(shape).copy()


# Every element type in both orders of bytes.
ELEMENT_TYPES = [f"{order}{kind}" for kind in DTYPES if kind[0] not in "Mm" for order in "<>"]


def every_layout() -> dict[str, np.ndarray[Any, Any]]:
    """Shapes and layouts that are easily got wrong."""
    cube = random_array("<f4", 2, 3, 4)
    return {
        "row major": cube,
        "column major": np.asfortranarray(cube),
        "turned": cube.transpose(1, 0, 2),
        "strided": cube[:, ::2, 1:],
        "backwards": cube[::-1],
        "broadcast": np.broadcast_to(np.arange(3.0), (4, 3)),
        "empty": np.zeros((0, 3), "<i2"),
        "empty inside": np.zeros((2, 0, 3), "<f8", order="F"),
        "one number": np.array(2.5),
        "one of each": random_array("<i8", 1, 1, 1),
        "long": random_array("<f8", 20_000),
    }
