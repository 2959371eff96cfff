"""Names for what contenders give, so that equal outputs have equal names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# What numpy and torch call the dtypes that the suite uses.
CODES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16", "uint8": "U8"}


def of_lines(lines: Iterable[str]) -> str:
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def code_of(tensor: Any) -> str:
    name = str(tensor.dtype).removeprefix("torch.")
    return CODES.get(name, name)


def bytes_of(tensor: Any) -> memoryview:
    """The bytes of an array or a tensor, row by row."""
    import numpy as np

    if not isinstance(tensor, np.ndarray):
        import torch

        tensor = tensor.cpu().contiguous().view(torch.uint8).numpy()
    return memoryview(np.ascontiguousarray(tensor).reshape(-1).view(np.uint8))


def of_tensors(tensors: Mapping[str, Any]) -> str:
    """Names, dtypes, shapes and every byte."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {code_of(tensor)} {tuple(tensor.shape)}\n".encode())
        digest.update(bytes_of(tensor))
    return digest.hexdigest()


def of_file(path: Path) -> str:
    """The tensors of a safetensors file, as the reference reads them."""
    import safetensors.numpy

    return of_tensors(safetensors.numpy.load_file(path))


def of_names(names: Iterable[str]) -> str:
    return of_lines(sorted(names))
