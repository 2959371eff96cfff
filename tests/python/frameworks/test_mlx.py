"""safetensors.mlx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from weighbridge import numpy as wb
from weighbridge.safetensors import mlx

from cases import EIGHTS, FLOATS, INTEGERS, array_of, arrays_of, assert_same, check_missing, check_slices

BACKENDS = ["mmap", "pread"]
KNOWN = ["bool", *INTEGERS, *FLOATS]


@pytest.fixture(autouse=True)
def on_the_cpu():
    """The one device of mlx that has float64."""
    with mx.stream(mx.cpu):
        yield


def to_numpy(array: mx.array) -> np.ndarray[Any, Any]:
    if array.dtype == mx.bfloat16:
        return np.asarray(array.view(mx.uint16)).view(array_of("bfloat16").dtype)
    return np.asarray(array)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_dtype_comes_back_from_a_file(backend: str, tmp_path: Path) -> None:
    arrays = arrays_of(KNOWN)
    wb.save_file(arrays, tmp_path / "x", metadata={"format": "mlx"})
    loaded = mlx.load_file(tmp_path / "x", backend=backend)
    for name, array in arrays.items():
        assert isinstance(loaded[name], mx.array)
        assert_same(to_numpy(loaded[name]), array, name)
    mlx.save_file(loaded, tmp_path / "y", {"format": "mlx"})
    assert (tmp_path / "y").read_bytes() == (tmp_path / "x").read_bytes()


def test_every_dtype_comes_back_from_memory() -> None:
    arrays = arrays_of(KNOWN)
    data = wb.save(arrays)
    assert mlx.save(mlx.load(data)) == data


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["float32", "bfloat16", "bool"])
def test_slices_are_those_of_numpy(name: str, backend: str, tmp_path: Path) -> None:
    check_slices("mlx", name, tmp_path / "x", backend, to_numpy)


@pytest.mark.parametrize("name", [*EIGHTS, "float4_e2m1fn"])
def test_a_dtype_that_mlx_lacks_is_refused(name: str, tmp_path: Path) -> None:
    check_missing("mlx", name, tmp_path / "x")


def test_views_are_saved_as_what_they_show_and_the_dict_is_left_alone() -> None:
    array = mx.arange(12, dtype=mx.float32).reshape(3, 4).T[::2]
    tensors = {"a": array, "b": array.astype(mx.bfloat16)}
    before = dict(tensors)
    loaded = mlx.load(mlx.save(tensors))
    assert all(tensors[name] is before[name] for name in before)
    for name in tensors:
        assert_same(to_numpy(loaded[name]), np.ascontiguousarray(to_numpy(tensors[name])), name)
