"""What every framework is given: arrays of each dtype, and indices into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from weighbridge import numpy as wb
from weighbridge.safetensors import safe_open

SHAPE = (4, 6)
INTEGERS = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FLOATS = ["float16", "float32", "float64", "bfloat16", "complex64"]
EIGHTS = ["float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"]
ALL = ["bool", *INTEGERS, *FLOATS, *EIGHTS, "float4_e2m1fn"]

INDICES = [
    (),
    ...,
    0,
    -1,
    slice(None),
    slice(1, 3),
    slice(3, 1),
    slice(None, None, 2),
    slice(None, None, -1),
    slice(-3, -1),
    (0, 2),
    (0, slice(2)),
    (slice(None), 0),
    (slice(1, None), slice(2, 5)),
    (slice(None), slice(None, None, 3)),
    (slice(None, None, -2), slice(4, None, -1)),
    (..., slice(0, 2)),
    (slice(0, 0), slice(None)),
]


def array_of(name: str) -> np.ndarray[Any, Any]:
    """Values that tell every element from its neighbours, as far as the dtype can."""
    dtype = np.dtype(getattr(ml_dtypes, name)) if hasattr(ml_dtypes, name) else np.dtype(name)
    numbers = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    if name == "bool":
        return numbers % 3 == 0
    if name == "float4_e2m1fn":
        return (numbers % 16).astype(np.uint8).view(dtype)
    if name.startswith("float8"):
        return (numbers + 40).astype(np.uint8).view(dtype)
    return (numbers + (1 if name[0] == "u" else -5)).astype(dtype)


def arrays_of(names: list[str]) -> dict[str, np.ndarray[Any, Any]]:
    """An array of each dtype, a scalar, and one without elements."""
    extra = {"scalar": np.array(1.5, np.float32), "empty": np.zeros((2, 0, 3), np.float32)}
    return {name: array_of(name) for name in names} | extra


def assert_same(found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], what: object = "") -> None:
    """Same dtype, shape and bits."""
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), what
    assert found.tobytes() == wanted.tobytes(), what


def check_slices(
    framework: str, name: str, path: Path, backend: str, to_numpy: Callable[[Any], np.ndarray[Any, Any]]
) -> None:
    """Every index gives what numpy makes of the whole array, through `safe_open` of a framework."""
    array = array_of(name)
    wb.save_file({name: array}, path)
    with safe_open(path, framework, backend=backend) as file:
        part = file.get_slice(name)
        for index in INDICES:
            assert_same(to_numpy(part[index]), np.asarray(array[index]), index)


def check_missing(framework: str, name: str, path: Path) -> None:
    """A dtype that a framework does not have is refused by name, and the rest of the file is still there."""
    from weighbridge import SafetensorError

    wb.save_file({"there": np.ones(3, np.float32), "not": array_of(name)}, path)
    with safe_open(path, framework) as file:
        assert tuple(file.get_tensor("there").shape) == (3,)
        with pytest.raises(SafetensorError) as caught:
            file.get_tensor("not")
        assert caught.value.code == "Unsupported"
