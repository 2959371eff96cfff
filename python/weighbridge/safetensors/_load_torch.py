"""The reading half of ``safetensors.torch``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch

from .. import torch as own
from .._model import load_into
from ._deserialize import open_bytes
from ._safe_open import safe_open

if TYPE_CHECKING:
    from typing_extensions import Buffer


def load_file(
    filename: str | os.PathLike[str], device: str | int | torch.device = "cpu", *, backend: str = "mmap"
) -> dict[str, torch.Tensor]:
    """Loads all tensors of a file onto a device: ``{name: tensor}`` in file order."""
    with safe_open(filename, framework="pt", device=device, backend=backend) as f:
        tensors: dict[str, torch.Tensor] = f.get_tensors()
        return tensors


def load(data: Buffer) -> dict[str, torch.Tensor]:
    """Loads all tensors of a file in memory, which is copied: ``{name: tensor}`` in file order."""
    return own.load_native(open_bytes(data), torch.device("cpu"))


def load_model(
    model: torch.nn.Module,
    filename: str | os.PathLike[str],
    strict: bool = True,
    device: str | int | torch.device = "cpu",
    *,
    backend: str = "mmap",
) -> tuple[set[str], list[str]]:
    """Loads a file that ``save_model`` wrote into a model, tied tensors included.

    Gives the names that the file lacks and those that the model lacks; with ``strict`` any of them is a RuntimeError.
    """
    return load_into(model, load_file(filename, device=device, backend=backend), strict)


_TYPES = {code: own.torch_dtype(code) for code in own.torch_codes()}


def _getdtype(dtype_str: str) -> torch.dtype:
    return _TYPES[dtype_str]


def _view2torch(safeview: list[tuple[str, dict[str, Any]]]) -> dict[str, torch.Tensor]:
    tensors = {}
    for name, view in safeview:
        shape, dtype = own.shape_of(view["dtype"], view["shape"]), _getdtype(view["dtype"])
        data = view["data"]
        flat = torch.frombuffer(data, dtype=torch.uint8).view(dtype) if len(data) else torch.empty(0, dtype=dtype)
        tensors[name] = flat.reshape(shape)
    return tensors
