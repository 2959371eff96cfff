"""``safetensors.flax``: arrays of jax."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array

from .. import numpy as own
from . import numpy
from ._deserialize import open_bytes
from ._errors import no_dtype
from ._safe_open import safe_open

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["load", "load_file", "save", "save_file"]


def save(tensors: dict[str, Array], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these arrays, of any dtype that jax and the format share.

    Raises SafetensorError for another dtype, TypeError for metadata that is no dict of str.
    """
    return numpy.save(_jnp2np(tensors), metadata)


def save_file(
    tensors: dict[str, Array], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes the file of :func:`save` to ``filename``, which it replaces in one step. Raises OSError too."""
    numpy.save_file(_jnp2np(tensors), filename, metadata)


def load(data: Buffer) -> dict[str, Array]:
    """Loads all tensors of a file in memory: ``{name: array}`` in file order, shapes and dtypes those of the file.

    With ``jax_enable_x64`` off, jax has 32 bits for F64, I64 and U64; a warning says so. Raises SafetensorError.
    """
    return _np2jnp(own.load_native(open_bytes(data), copy=False))


def load_file(filename: str | os.PathLike[str], *, backend: str = "mmap") -> dict[str, Array]:
    """Loads all tensors of a file, as :func:`load` does, and raises OSError too.

    ``backend`` is ``"mmap"`` or ``"pread"``.
    """
    with safe_open(filename, framework="flax", backend=backend) as f:
        return f.get_tensors()


def from_numpy(array: npt.NDArray[Any]) -> Array:
    """A jax array with a copy of ``array``, on jax's default device.

    jax copies behind the caller's back; this waits for it, as ``array`` may be the mapping of a file.
    """
    try:
        converted = jnp.array(array).block_until_ready()
    except (TypeError, ValueError, RuntimeError) as error:
        raise no_dtype("jax", array.dtype) from error
    if converted.dtype != array.dtype:
        warnings.warn(
            f"{array.dtype} is {converted.dtype} in jax, unless jax_enable_x64 is set: values may change", stacklevel=2
        )
    return converted


def _np2jnp(numpy_dict: Mapping[str, npt.NDArray[Any]]) -> dict[str, Array]:
    return {name: from_numpy(array) for name, array in numpy_dict.items()}


def _jnp2np(jnp_dict: Mapping[str, Array]) -> dict[str, npt.NDArray[Any]]:
    return {name: np.asarray(array) for name, array in jnp_dict.items()}
