"""The saving half of ``safetensors.numpy``."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import _save, _save_numpy
from .._save import Options
from ._spec import TensorSpec, check_metadata, reference_errors, save_collected


def save(tensor_dict: dict[str, np.ndarray[Any, Any]], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these arrays, of any memory order: :func:`weighbridge.numpy.save`."""
    check_metadata(metadata)
    collected = _save_numpy.collect(tensor_dict)
    with reference_errors():
        return _save.serialize(collected, Options(metadata))


def save_file(
    tensor_dict: dict[str, np.ndarray[Any, Any]],
    filename: str | os.PathLike[str],
    metadata: dict[str, str] | None = None,
) -> None:
    """Writes the file of :func:`save` to ``filename``: :func:`weighbridge.numpy.save_file`."""
    save_collected(_save_numpy.collect(tensor_dict), filename, metadata)


def _tobytes(tensor: np.ndarray[Any, Any]) -> bytes:
    """The array's elements in row-major order, little-endian."""
    return _save_numpy.adapt("", tensor)[2].tobytes()


def _is_little_endian(tensor: np.ndarray[Any, Any]) -> bool:
    """Whether the array's elements are stored as the format has them; those of one byte always are."""
    return bool(tensor.dtype == tensor.dtype.newbyteorder("<"))


def _flatten(
    tensor_dict: dict[str, np.ndarray[Any, Any]], keep_alive_buffer: list[Any] | None = None
) -> dict[str, TensorSpec]:
    """Each array as a TensorSpec over contiguous little-endian bytes, which ``keep_alive_buffer`` keeps."""
    kept = [] if keep_alive_buffer is None else keep_alive_buffer
    specs = {}
    for name, array in tensor_dict.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        kept.append(little)
        specs[name] = TensorSpec(
            dtype=array.dtype.name, shape=array.shape, data_ptr=little.ctypes.data, data_len=little.nbytes
        )
    return specs
