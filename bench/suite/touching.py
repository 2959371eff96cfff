"""Looking at what was loaded, so that loading it later does not look like loading it faster."""

from __future__ import annotations

from typing import Any

from suite.loaders import Loaded

PAGE = 4096


def as_bytes(tensor: Any) -> Any:
    """The bytes of a contiguous array or tensor, as an array."""
    import numpy as np

    array = tensor if isinstance(tensor, np.ndarray) else tensor.numpy()
    return array.reshape(-1).view(np.uint8)


def sum_all(loaded: Loaded) -> int:
    """Every byte is read, by one thread."""
    import numpy as np

    return sum(int(np.add.reduce(as_bytes(tensor).view(np.uint64))) for tensor in loaded.tensors.values())


def touch_pages(loaded: Loaded) -> int:
    """One byte of every page is read: all of the file is in memory then."""
    return sum(int(as_bytes(tensor)[::PAGE].sum()) for tensor in loaded.tensors.values())
