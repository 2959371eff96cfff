"""``safetensors.tensorflow``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import tensorflow as tf

from .. import numpy as own
from . import numpy
from ._deserialize import open_bytes
from ._errors import no_dtype
from ._safe_open import safe_open

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["load", "load_file", "save", "save_file"]


def save(tensors: dict[str, tf.Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these tensors or variables, of any dtype that TensorFlow and the format share.

    Raises SafetensorError for another dtype, TypeError for metadata that is no dict of str.
    """
    return numpy.save(_tf2np(tensors), metadata)


def save_file(
    tensors: dict[str, tf.Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes the file of :func:`save` to ``filename``, which it replaces in one step. Raises OSError too."""
    numpy.save_file(_tf2np(tensors), filename, metadata)


def load(data: Buffer) -> dict[str, tf.Tensor]:
    """Loads all tensors of a file in memory: ``{name: tensor}`` in file order, shapes and dtypes those of the file.

    Raises SafetensorError, for F8_E8M0 and F6 too, which TensorFlow does not have.
    """
    return _np2tf(own.load_native(open_bytes(data), copy=False))


def load_file(filename: str | os.PathLike[str], *, backend: str = "mmap") -> dict[str, tf.Tensor]:
    """Loads all tensors of a file, as :func:`load` does, and raises OSError too.

    ``backend`` is ``"mmap"`` or ``"pread"``.
    """
    with safe_open(filename, framework="tf", backend=backend) as f:
        return f.get_tensors()


def from_numpy(array: npt.NDArray[Any]) -> tf.Tensor:
    """A tensor with a copy of ``array``."""
    try:
        return tf.convert_to_tensor(array)
    except (TypeError, ValueError) as error:
        raise no_dtype("tensorflow", array.dtype) from error


def _np2tf(numpy_dict: Mapping[str, npt.NDArray[Any]]) -> dict[str, tf.Tensor]:
    return {name: from_numpy(array) for name, array in numpy_dict.items()}


def _tf2np(tf_dict: Mapping[str, tf.Tensor]) -> dict[str, npt.NDArray[Any]]:
    return {name: tensor.numpy() for name, tensor in tf_dict.items()}
