"""Saving numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import _native, _save
from ._dtypes import BY_NAME
from ._errors import SafetensorError
from ._save import Destination, Durable, Options

# The dtypes that numpy has itself; those of ml_dtypes the buffer protocol does not know.
_PLAIN = _native.PlainArrays(
    np.ndarray, [np.ones((2, 3), code) for code in ("?", *np.typecodes["AllInteger"], *"efdF")]
)


def save(
    tensors: Mapping[str, np.ndarray[Any, Any]],
    *,
    metadata: Mapping[str, str] | None = None,
    alignment: int = 8,
    slack: int = 0,
) -> bytes:
    """The bytes of a safetensors file that holds ``tensors``.

    Arrays of any shape and memory order are saved as what they show: transposed, strided, reversed, broadcast and
    big-endian ones too. dtypes: bool, the integers of 8 to 64 bits, float16/32/64, complex64, and of ml_dtypes
    bfloat16, the float8 types and float4_e2m1fn. Equal tensors and metadata give equal bytes, in whatever order they
    come.

    ``alignment`` (a power of two, 8 to 4096) is what the data starts at a multiple of; ``slack`` spaces are kept free
    for metadata that :func:`weighbridge.edit_metadata` may add.

    Raises TypeError for anything that is no array, SafetensorError for a dtype that the format has not.
    """
    return _save.serialize(collect(tensors), Options(metadata, alignment, slack))


def save_file(
    tensors: Mapping[str, np.ndarray[Any, Any]],
    destination: Destination,
    *,
    metadata: Mapping[str, str] | None = None,
    max_shard_size: int | str | None = None,
    durable: Durable = False,
    alignment: int = 8,
    slack: int = 0,
    overwrite: bool = True,
) -> None:
    """Writes ``tensors`` (see :func:`save`) to a path, a file descriptor or a binary file object.

    At a path the file appears complete or not at all, and until then an old one stays as it was. It gets the mode that
    the umask gives, or that of the file that it replaces; a symbolic link is followed. Nothing is copied in memory,
    with the exception of reversed arrays and those of ml_dtypes whose elements lie apart.

    ``max_shard_size`` (bytes, or such as ``"5GB"``) splits what is larger into ``stem-00001-of-0000N.safetensors`` …
    with an index ``stem.safetensors.index.json``; up to four of them are written at once. ``durable``: False leaves
    the bytes to the page cache; "data" waits until they are on the disk before the file gets its name; True or "full"
    also waits for the name.
    ``overwrite=False`` raises FileExistsError for a path that exists.

    Raises what :func:`save` raises, and SafetensorError that is also the OSError of the failed system call.
    """
    options = Options(metadata, alignment, slack, durable, overwrite)
    if max_shard_size is None:
        _save.save(collect(tensors), destination, options)
    else:
        _save.save_shards(tensors, _size_of, _save_one, destination, max_shard_size, options)


def collect(tensors: Mapping[str, np.ndarray[Any, Any]]) -> _native.Tensors:
    """What the native module saves: the arrays where they lie, copied only where it cannot read them so."""
    collected = _native.Tensors()
    collected.add_arrays(tensors if isinstance(tensors, dict) else dict(tensors), _PLAIN, adapt)
    return collected


def adapt(name: object, value: object) -> tuple[str, tuple[int, ...], np.ndarray[Any, Any]]:
    """An array as format code, shape, and contiguous little-endian bytes. The buffer protocol knows few dtypes."""
    if not isinstance(name, str):
        raise TypeError(f"tensors must be named by str, found {type(name).__name__}")
    if not isinstance(value, (np.ndarray, np.generic)):
        raise TypeError(f"tensor {name!r}: expected numpy.ndarray, found {type(value).__name__}")
    array = np.asarray(value)
    dtype = BY_NAME.get(array.dtype.name)
    if dtype is None:
        known = ", ".join(BY_NAME)
        raise SafetensorError(f'Unknown dtype "{array.dtype.name}". Supported dtypes: {known}', tensor=name)
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    numbers = little.view(f"u{array.dtype.itemsize}") if array.dtype.itemsize <= 8 else little
    return dtype.code, array.shape, _pack_nibbles(name, numbers) if dtype.bits == 4 else numbers


def _pack_nibbles(name: str, numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Two elements a byte, the low half first."""
    flat = numbers.reshape(-1)
    if flat.size % 2:
        raise SafetensorError(f"tensor {name!r}: {flat.size} elements of 4 bits do not fill whole bytes", tensor=name)
    packed: np.ndarray[Any, Any] = (flat[0::2] & 0x0F) | (flat[1::2] << 4)
    return packed


def _size_of(array: np.ndarray[Any, Any]) -> int:
    return array.nbytes // 2 if array.dtype.name == "float4_e2m1fn" else array.nbytes


def _save_one(tensors: Mapping[str, np.ndarray[Any, Any]], path: Path, options: Options) -> None:
    _save.save(collect(tensors), path, options)
