"""numpy, and the frameworks that take their tensors from numpy's: tensorflow, flax, mlx."""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable
from typing import Any, NoReturn

from .. import _native
from .. import numpy as own
from .._errors import SafetensorError


class NumpyReader:
    """Arrays are writable and share no bytes with each other or with a second call, as the reference's.

    Large ones are private mappings of the file where that is safe, and all others copies. A framework that copies its
    input (``convert``) is given views.
    """

    def __init__(self, file: _native.File, convert: Callable[[Any], Any] | None = None) -> None:
        self._file = file
        self._convert = convert

    def tensor(self, number: int) -> Any:
        code, shape = self._file.spec(number)
        if self._convert is not None:
            return self._convert(own.array_of(self._file.view(number), code, shape))
        return own.array_of(self._file.detach(number), code, shape)

    def tensors(self) -> dict[str, Any]:
        if self._convert is not None:
            return {name: self.tensor(number) for number, name in enumerate(self._file.offset_names())}
        return own.arrays_of(self._file, _native.Arena.private(self._file))

    def slice(self, number: int, index: Any) -> Any:
        check_index(index, self._file.spec(number)[1])
        array = own.read_index(self._file, number, index)
        return array if self._convert is None else self._convert(array)


def converter(name: str) -> Callable[[Any], Any] | None:
    """What makes a framework's tensor of an array, by copying it; None for numpy itself."""
    if name == "numpy":
        return None
    convert: Callable[[Any], Any] = importlib.import_module(f".{name}", __package__).from_numpy
    return convert


def check_index(index: Any, shape: tuple[int, ...]) -> None:
    """Refuses what the reference refuses and its tests ask to be refused.

    Where numpy clamps the end of a range, the reference raises, and programs rely on that to notice a wrong shape.
    """
    if isinstance(index, list) and index:
        raise SafetensorError("Non empty lists are not implemented")
    items = index if type(index) is tuple else (index,)
    for dimension, (item, size) in enumerate(zip(items, shape, strict=False)):
        if isinstance(item, slice):
            if item.stop is not None and operator.index(item.stop) > size:
                _refuse(operator.index(item.stop) - 1, dimension, items, shape)
        elif not hasattr(item, "__index__"):
            return  # what stands behind an ellipsis, a None or an array belongs to another dimension
        elif operator.index(item) >= size:
            _refuse(operator.index(item), dimension, items, shape)
        elif operator.index(item) < -size:
            message = f"Invalid index {operator.index(item)} for dimension {dimension} of size {size}"
            raise SafetensorError(message, code="SliceOutOfRange")


def _refuse(position: int, dimension: int, items: tuple[Any, ...], shape: tuple[int, ...]) -> NoReturn:
    what = f"[{', '.join(map(_text, items))}] with shape {list(shape)}"
    reason = f"index {position} out of bounds for tensor dimension #{dimension} of size {shape[dimension]}"
    raise SafetensorError(f"Error during slicing {what}: {reason}", code="SliceOutOfRange")


def _text(item: Any) -> str:
    if not isinstance(item, slice):
        return "..." if item is Ellipsis else str(item)
    step = "" if item.step is None else f":{item.step}"
    return f"{'' if item.start is None else item.start}:{'' if item.stop is None else item.stop}{step}"
