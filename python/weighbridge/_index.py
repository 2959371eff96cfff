"""numpy's basic indexing, taken apart: what the native module reads, and what is done to the result.

The native module knows integers, slices with steps of at least 1 and an ellipsis, and says so of what it does not know.
A negative step is read forwards and flipped afterwards; a None adds its dimension afterwards.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from types import EllipsisType
from typing import Any, NamedTuple, TypeAlias

NativeItem: TypeAlias = "int | slice | EllipsisType"


class SplitIndex(NamedTuple):
    """A basic index in its two halves.

    ``read`` is for the native module; then the axes ``flips`` of its result are reversed, and last the result is
    indexed with ``expand``, which only adds dimensions (None where there are none to add).
    """

    read: tuple[NativeItem, ...]
    flips: tuple[int, ...]
    expand: tuple[slice | EllipsisType | None, ...] | None


def split_index(index: Any, shape: Sequence[int]) -> SplitIndex | None:
    """Takes an index apart; gives None for one that is not basic: a list, an array, a mask.

    Raises ValueError for a step of 0, as numpy does.
    """
    items = index if isinstance(index, tuple) else (index,)
    if not all(_is_basic(item) for item in items):
        return None
    dimension = axis = 0
    read: list[NativeItem] = []
    flips: list[int] = []
    expand: list[slice | EllipsisType | None] = []
    for item in items:
        if item is None:
            expand.append(None)
        elif item is Ellipsis:
            skipped = max(len(shape) - sum(_takes_dimension(other) for other in items), 0)
            dimension, axis = dimension + skipped, axis + skipped
            read.append(item)
            expand.append(item)
        elif isinstance(item, slice):
            forwards, flipped = _forwards(item, shape[dimension] if dimension < len(shape) else 0)
            read.append(forwards)
            expand.append(slice(None))
            if flipped:
                flips.append(axis)
            dimension, axis = dimension + 1, axis + 1
        else:
            read.append(operator.index(item))
            dimension += 1
    return SplitIndex(tuple(read), tuple(flips), tuple(expand) if None in expand else None)


def _is_basic(item: Any) -> bool:
    if item is None or item is Ellipsis or isinstance(item, slice):
        return True
    # numpy takes a bool for a mask, and an array of integers for a list of positions.
    return hasattr(item, "__index__") and not isinstance(item, bool) and not getattr(item, "shape", ())


def _takes_dimension(item: Any) -> bool:
    return item is not None and item is not Ellipsis


def _forwards(item: slice, size: int) -> tuple[slice, bool]:
    """The slice with a positive step that selects the same, and whether it has to be reversed."""
    if item.step is None or operator.index(item.step) > 0:
        return item, False
    positions = range(*item.indices(size))  # raises for a step of 0
    if not positions:
        return slice(0, 0), False
    return slice(positions[-1], positions[0] + 1, -positions.step), True
