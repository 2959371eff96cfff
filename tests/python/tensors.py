"""Tensors of every kind, and what it means for two to be the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch

# Every dtype that both torch and safetensors have, by the name in a safetensors header.
DTYPES: dict[str, torch.dtype] = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E8M0": torch.float8_e8m0fnu,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
    "I16": torch.int16,
    "U16": torch.uint16,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I32": torch.int32,
    "U32": torch.uint32,
    "F32": torch.float32,
    "C64": torch.complex64,
    "F64": torch.float64,
    "I64": torch.int64,
    "U64": torch.uint64,
}


def random_bits(dtype: torch.dtype, *shape: int, seed: int = 1) -> torch.Tensor:
    """A tensor of random bits: NaNs of every kind, denormals and infinities among its numbers."""
    generator = torch.Generator().manual_seed(seed)
    if dtype == torch.bool:
        return torch.randint(2, shape, generator=generator, dtype=torch.uint8).bool()
    count = torch.Size(shape).numel() * dtype.itemsize
    raw = torch.randint(256, (count,), generator=generator, dtype=torch.uint8)
    return raw.view(dtype).reshape(shape)


def bits(tensor: torch.Tensor) -> bytes:
    """The tensor's elements in row-major order, as bytes. Equal bits are equal, NaN or not."""
    flat = tensor.detach().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()


def sha256(tensor: torch.Tensor) -> str:
    return hashlib.sha256(bits(tensor)).hexdigest()


def assert_same(expected: Mapping[str, torch.Tensor], actual: Mapping[str, torch.Tensor]) -> None:
    """The same names, and under each the same dtype, shape and bits."""
    assert sorted(expected) == sorted(actual)
    for name, tensor in expected.items():
        assert actual[name].dtype == tensor.dtype, name
        assert actual[name].shape == tensor.shape, name
        assert bits(actual[name]) == bits(tensor), name


def metadata(file: Path) -> dict[str, str]:
    """`__metadata__` of a safetensors file, read without anybody's library."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
    found = header.get("__metadata__", {})
    assert isinstance(found, dict)
    return found
