"""One object that torch can save, how it is saved, and the tensors that must come out of it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

Tensors = Mapping[str, torch.Tensor]


def save_zip(value: object, path: Path) -> None:
    torch.save(value, path)


def save_legacy(value: object, path: Path) -> None:
    torch.save(value, path, _use_new_zipfile_serialization=False)


def save_script(value: object, path: Path) -> None:
    torch.jit.save(value, path)  # type: ignore[no-untyped-call]


def save_pickle(protocol: int) -> Callable[[object, Path], None]:
    def save(value: object, path: Path) -> None:
        path.write_bytes(pickle.dumps(value, protocol))

    return save


@dataclass(frozen=True)
class Special:
    """One object, how it is saved, the options of the conversion, and what must come out."""

    name: str
    make: Callable[[], object]
    expected: Callable[[Any], Tensors]
    options: tuple[str, ...] = ()
    save: Callable[[object, Path], None] = field(default=save_zip)


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as torch shows it: dense, signs settled, alone in its memory."""
    tensor = tensor.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    return tensor.resolve_conj().resolve_neg().contiguous().clone()


def one(value: torch.Tensor) -> Tensors:
    return {"tensor": plain(value)}


def each(value: Mapping[str, torch.Tensor]) -> Tensors:
    return {name: plain(tensor) for name, tensor in value.items()}


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def values(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    numbers = torch.randn(shape, generator=seeded()) * 3
    if dtype == torch.bool:
        return numbers > 0
    if dtype.is_complex:
        return torch.complex(numbers, numbers.flip(0)).to(dtype)
    return numbers.to(dtype)
