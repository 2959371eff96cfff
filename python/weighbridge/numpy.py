"""Reading into numpy arrays, and saving them.

BF16 and the small floats are ml_dtypes' types of the same name. F4 is unpacked, one element a byte, as ml_dtypes has
it. F6 has no agreed packing: its bytes are at ``file[name].buffer()``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._dtypes import BY_CODE
from ._errors import SafetensorError
from ._index import SplitIndex, split_index
from ._load import Mode, ReportTarget, make_arenas
from ._load import load_slices as load_planned
from ._save_numpy import save, save_file
from ._source import Source, open_sources

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["load", "load_file", "load_slices", "save", "save_file"]


def load_file(
    source: Source,
    *,
    copy: bool = False,
    backend: str = "auto",
    mode: Mode = "auto",
    report: ReportTarget = None,
) -> dict[str, npt.NDArray[Any]]:
    """Loads all tensors of a file, a list of shards, or the shards of an ``index.json``.

    Arrays are read-only views of the mapped file (``mode="view"``), which lives as long as any of them: nothing is read
    before it is looked at. With ``copy=True``, or ``mode="copy"``, they are writable and read into memory of their own
    by several threads, with ``mode="direct"`` past the page cache. ``"auto"`` is a view unless files are not mapped
    (``backend="pread"``, network file systems).

    ``report`` is given a :class:`weighbridge.LoadReport`. Keys are in file order. Shapes are the file's; dtypes are
    numpy's or ml_dtypes'. Raises SafetensorError, and subclasses of OSError.
    """
    files = open_sources(source, backend=backend)
    arenas = make_arenas(files, "copy" if copy and mode == "auto" else mode, "shared", report)
    return {
        name: array for file, arena in zip(files, arenas, strict=True) for name, array in arrays_of(file, arena).items()
    }


def load_slices(
    source: Source,
    slices: Mapping[str, Any],
    *,
    backend: str = "auto",
    mode: Mode = "auto",
    report: ReportTarget = None,
) -> dict[str, npt.NDArray[Any]]:
    """Loads slices of a file, or of several: ``{name: index}`` gives ``{name: array}``, writable.

    A slice that is one range of bytes is a private mapping, unless ``mode`` is ``"copy"`` or ``"direct"``; the others
    are read in one go, by several threads, and nothing else is. An index is of integers, slices, None and an ellipsis;
    ``mode`` and ``report`` are those of :func:`load_file`. Raises SafetensorError, and subclasses of OSError.
    """
    loaded: dict[str, npt.NDArray[Any]] = load_planned(
        open_sources(source, backend=backend), slices, mode, report, _build
    )
    return loaded


def _build(memory: _native.Memory, code: str, shape: Sequence[int], split: SplitIndex) -> npt.NDArray[Any]:
    array = array_of(memory, code, shape)
    if split.flips:
        array = np.flip(array, split.flips)
    return array if split.expand is None else np.asarray(array[split.expand])


def load(buffer: Buffer, *, copy: bool = False) -> dict[str, npt.NDArray[Any]]:
    """The same from a file in memory: views of ``buffer``, which they keep alive, or copies."""
    return load_native(_native.File.open_buffer(buffer), copy)


def load_native(file: _native.File, copy: bool) -> dict[str, npt.NDArray[Any]]:
    """All tensors of an open file, in file order."""
    arena = _native.Arena.owned(file) if copy else _native.Arena.shared(file)
    return arrays_of(file, arena)


def arrays_of(file: _native.File, arena: _native.Arena) -> dict[str, npt.NDArray[Any]]:
    """All tensors of an arena: writable where its memory is."""
    arrays = {}
    for (name, code, shape), memory in zip(file.table(), arena.memories(), strict=True):
        arrays[name] = array_of(memory, code, shape)
    return arrays


def array_of(memory: _native.Memory, code: str, shape: Sequence[int]) -> npt.NDArray[Any]:
    """The array of that dtype and shape over ``memory``; F4 is copied."""
    if code == "F4":
        return _unpack_f4(memory, shape)
    exporter: Any = memory
    array: npt.NDArray[Any] = np.ndarray(shape, numpy_dtype(code), exporter)
    return array


def read_index(file: _native.File, number: int, index: Any) -> npt.NDArray[Any]:
    """A slice of one tensor, with numpy's indexing; reads only its bytes. Writable.

    What is no basic index (lists, arrays, masks) is applied to the whole tensor, and so is one that parts the two
    elements of F4 that share a byte.
    """
    try:
        part = _read_part(file, number, index)
    except SafetensorError as error:
        if error.code != "MisalignedSlice":
            raise
        part = None
    if part is not None:
        return part
    code, shape = file.spec(number)
    return np.array(array_of(file.view(number), code, shape)[index])


def _read_part(file: _native.File, number: int, index: Any) -> npt.NDArray[Any] | None:
    """The slice that a basic index stands for; None for one that is not basic."""
    code, shape = file.spec(number)
    if plain := _native.read_slice(file, number, index):
        return array_of(plain[1], code, plain[0])
    split = split_index(index, shape)
    read = None if split is None else _native.read_slice(file, number, split.read)
    if split is None or read is None:
        return None
    return _build(read[1], code, read[0], split)


@cache
def numpy_dtype(code: str) -> np.dtype[Any]:
    """The dtype of a code of the format. Raises SafetensorError for one that has none, or needs ml_dtypes."""
    name = BY_CODE[code].name
    if name is None:
        raise SafetensorError(f"Dtype not understood: {code}", code="Unsupported")
    if code != "C64" and code != "BOOL" and not hasattr(np, name):
        return _ml_dtype(code, name)
    return np.dtype(name)


def _ml_dtype(code: str, name: str) -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError as error:
        raise SafetensorError(f"{code} needs the package ml_dtypes: numpy has no {name}", code="Unsupported") from error
    dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    return dtype


def _unpack_f4(memory: _native.Memory, shape: Sequence[int]) -> npt.NDArray[Any]:
    """Two elements a byte, the first in the low half, as one a byte."""
    packed = array_of(memory, "U8", [len(memory)])
    unpacked = np.empty(2 * packed.size, np.uint8)
    np.bitwise_and(packed, 0x0F, out=unpacked[0::2])
    np.right_shift(packed, 4, out=unpacked[1::2])
    unpacked.flags.writeable = memory.writable
    return unpacked.view(numpy_dtype("F4")).reshape(shape)
