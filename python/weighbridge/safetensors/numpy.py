"""``safetensors.numpy``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _native
from .. import numpy as own
from . import TensorSpec, deserialize, serialize, serialize_file
from ._deserialize import open_bytes
from ._safe_open import safe_open
from ._saving_numpy import _flatten, _is_little_endian, _tobytes, save, save_file

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "TensorSpec",
    "_flatten",
    "_is_little_endian",
    "_tobytes",
    "deserialize",
    "load",
    "load_file",
    "safe_open",
    "save",
    "save_file",
    "serialize",
    "serialize_file",
]


def load(data: Buffer) -> dict[str, npt.NDArray[Any]]:
    """Loads all tensors of a file in memory, which is copied: ``{name: array}`` in file order."""
    file = open_bytes(data)
    return own.arrays_of(file, _native.Arena.owned(file))


def load_file(filename: str | os.PathLike[str], *, backend: str = "mmap") -> dict[str, npt.NDArray[Any]]:
    """Loads all tensors of a file as writable arrays: ``{name: array}`` in file order."""
    with safe_open(filename, framework="np", backend=backend) as f:
        return f.get_tensors()


_TYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "U64": np.uint64,
    "I32": np.int32,
    "U32": np.uint32,
    "I16": np.int16,
    "U16": np.uint16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": bool,
    "C64": np.complex64,
}


def _getdtype(dtype_str: str) -> Any:
    return _TYPES.get(dtype_str) or own.numpy_dtype(dtype_str)


def _view2np(safeview: list[tuple[str, dict[str, Any]]]) -> dict[str, npt.NDArray[Any]]:
    return {
        name: np.frombuffer(view["data"], dtype=_getdtype(view["dtype"])).reshape(view["shape"])
        for name, view in safeview
    }
