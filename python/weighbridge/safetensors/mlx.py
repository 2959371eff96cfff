"""``safetensors.mlx``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np
import numpy.typing as npt

from .. import numpy as own
from . import numpy
from ._deserialize import open_bytes
from ._errors import no_dtype
from ._safe_open import safe_open

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["load", "load_file", "save", "save_file"]


def save(tensors: dict[str, mx.array], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these arrays, bfloat16 and views of any order included.

    Raises TypeError for metadata that is no dict of str.
    """
    return numpy.save(_mx2np(tensors), metadata)


def save_file(
    tensors: dict[str, mx.array], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes the file of :func:`save` to ``filename``, which it replaces in one step. Raises OSError too."""
    numpy.save_file(_mx2np(tensors), filename, metadata)


def load(data: Buffer) -> dict[str, mx.array]:
    """Loads all tensors of a file in memory: ``{name: array}`` in file order, shapes and dtypes those of the file.

    Raises SafetensorError, for the dtypes below 16 bits that are no integers too, which mlx does not have.
    """
    return _np2mx(own.load_native(open_bytes(data), copy=False))


def load_file(filename: str | os.PathLike[str], *, backend: str = "mmap") -> dict[str, mx.array]:
    """Loads all tensors of a file, as :func:`load` does, and raises OSError too.

    ``backend`` is ``"mmap"`` or ``"pread"``.
    """
    with safe_open(filename, framework="mlx", backend=backend) as f:
        return f.get_tensors()


def from_numpy(array: npt.NDArray[Any]) -> mx.array:
    """An mlx array with a copy of ``array``.

    mlx takes no reversed array, and makes float32 of float64 unless the dtype is named.
    """
    name = "bool_" if array.dtype == np.bool_ else array.dtype.name
    dtype = getattr(mx, name, None)
    if not isinstance(dtype, mx.Dtype):
        raise no_dtype("mlx", array.dtype)
    return mx.array(np.asarray(array, order="C"), dtype=dtype)


def _to_numpy(array: mx.array) -> npt.NDArray[Any]:
    """The array in numpy, which knows bfloat16 by ml_dtypes alone."""
    if array.dtype == mx.bfloat16:
        return np.asarray(array.view(mx.uint16)).view(own.numpy_dtype("BF16"))
    return np.asarray(array)


def _np2mx(numpy_dict: Mapping[str, npt.NDArray[Any]]) -> dict[str, mx.array]:
    return {name: from_numpy(array) for name, array in numpy_dict.items()}


def _mx2np(mx_dict: Mapping[str, mx.array]) -> dict[str, npt.NDArray[Any]]:
    return {name: _to_numpy(array) for name, array in mx_dict.items()}
