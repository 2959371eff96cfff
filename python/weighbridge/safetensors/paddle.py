"""``safetensors.paddle``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import paddle

from . import TensorSpec, deserialize, serialize, serialize_file
from ._deserialize import open_bytes
from ._device import parse_device
from ._paddle_helpers import (
    _SIZE,
    _TYPES,
    NPDTYPES,
    _flatten,
    _getdtype,
    _np2paddle,
    _paddle2np,
    _to_ndarray,
    _view2paddle,
)
from ._read_paddle import PaddleReader
from ._safe_open import safe_open

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "NPDTYPES",
    "_SIZE",
    "_TYPES",
    "TensorSpec",
    "_flatten",
    "_getdtype",
    "_np2paddle",
    "_paddle2np",
    "_to_ndarray",
    "_view2paddle",
    "deserialize",
    "load",
    "load_file",
    "safe_open",
    "save",
    "save_file",
    "serialize",
    "serialize_file",
]


def save(tensors: dict[str, paddle.Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these tensors, which are contiguous, on any device.

    Raises ValueError for anything else, SafetensorError for a dtype that the format does not have.
    """
    kept: list[Any] = []
    return serialize(_flatten(tensors, kept), metadata)


def save_file(
    tensors: dict[str, paddle.Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes the file of :func:`save` to ``filename``, which it replaces in one step. Raises OSError too."""
    kept: list[Any] = []
    serialize_file(_flatten(tensors, kept), filename, metadata)


def load(data: Buffer, device: str = "cpu") -> dict[str, paddle.Tensor]:
    """Loads all tensors of a file in memory to ``device``: ``{name: tensor}`` in file order.

    Shapes and dtypes are those of the file. Raises SafetensorError, for U16, F4, F6 and the float8 types that
    Paddle does not have too.
    """
    return PaddleReader(open_bytes(data), parse_device(device)).tensors()


def load_file(
    filename: str | os.PathLike[str], device: str = "cpu", *, backend: str = "mmap"
) -> dict[str, paddle.Tensor]:
    """Loads all tensors of a file, as :func:`load` does; ``backend`` is ``"mmap"`` or ``"pread"``.

    On the CPU tensors are views of one private mapping of the file, which they keep alive: they may be written to, and
    the file stays as it is. Raises OSError too.
    """
    with safe_open(filename, framework="paddle", device=device, backend=backend) as f:
        return f.get_tensors()
