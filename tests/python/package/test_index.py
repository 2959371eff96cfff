"""Slices are numpy's, whatever the framework and the way to the bytes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import weighbridge
from handmade import Tensor, file_bytes, write_file
from hypothesis import given
from hypothesis import strategies as st
from weighbridge import SafetensorError, _native
from weighbridge import numpy as wb_numpy
from weighbridge import torch as wb_torch
from weighbridge._index import split_index
from weighbridge.safetensors import safe_open

SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
BOUNDS = st.none() | st.integers(-7, 7)
STEPS = st.none() | st.integers(-4, 4).filter(bool)
ITEMS = st.one_of(st.builds(slice, BOUNDS, BOUNDS, STEPS), st.integers(-6, 6), st.none())


@st.composite
def indices(draw: st.DrawFn) -> tuple[Any, ...]:
    """Basic indices, some with more items than any tensor has dimensions."""
    items = draw(st.lists(ITEMS, max_size=5))
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), Ellipsis)
    return tuple(items)


def numbers(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.arange(math.prod(shape), dtype="<i4").reshape(shape)


def native_file(array: np.ndarray[Any, Any]) -> _native.File:
    return _native.File.open_buffer(file_bytes({"a": Tensor("I32", array.shape, array.tobytes())}))


@given(SHAPES, indices())
def test_what_numpy_selects_is_selected(shape: tuple[int, ...], index: tuple[Any, ...]) -> None:
    array = numbers(shape)
    file = native_file(array)
    try:
        expected = array[index]
    except IndexError:
        with pytest.raises(IndexError):
            wb_numpy.read_index(file, 0, index)
        with pytest.raises(IndexError):
            wb_torch.read_index(file, 0, index)
        return
    for got in (
        wb_numpy.read_index(file, 0, index),
        wb_torch.read_index(file, 0, index).numpy(),
        wb_torch.read_index(file, 0, index, file.read(0)).numpy(),
    ):
        assert got.shape == expected.shape
        assert np.array_equal(got, expected)


@pytest.mark.parametrize("backend", ["auto", "pread"])
@pytest.mark.parametrize("index", [[0, 2], np.array([1, 1]), ([0, 1], [1, 2]), np.array([True, False, True])])
def test_lists_arrays_and_masks_are_applied_to_the_whole(tmp_path: Path, backend: str, index: Any) -> None:
    array = numbers((3, 4))
    path = write_file(tmp_path / "a.safetensors", {"a": Tensor("I32", (3, 4), array.tobytes())})
    with weighbridge.open(path, backend=backend) as file:
        assert np.array_equal(file["a"][index], array[index])
        assert np.array_equal(file["a"].slice(index, "torch").numpy(), array[index])


def test_a_step_of_0_is_refused() -> None:
    file = native_file(numbers((3,)))
    with pytest.raises(ValueError, match="zero"):
        wb_numpy.read_index(file, 0, slice(None, None, 0))


def test_bounds_beyond_64_bits_are_clamped() -> None:
    file = native_file(numbers((5,)))
    assert list(wb_numpy.read_index(file, 0, slice(-(2**80), 2**80, 2))) == [0, 2, 4]
    assert list(wb_numpy.read_index(file, 0, slice(2**80, None, -2))) == [4, 2, 0]


@pytest.mark.parametrize("position", [2**80, -(2**80), 5, -6])
def test_positions_outside_are_index_errors(position: int) -> None:
    file = native_file(numbers((5,)))
    for read in (wb_numpy.read_index, wb_torch.read_index):
        with pytest.raises(IndexError):
            read(file, 0, position)


def test_integers_of_numpy_and_torch_are_integers() -> None:
    assert split_index((np.int64(2), torch.tensor(1)), (3, 4)) == ((2, 1), (), None)
    assert split_index(True, (3,)) is None
    file = native_file(numbers((3, 4)))
    assert wb_numpy.read_index(file, 0, (np.int64(2), torch.tensor(1))) == 9
    assert wb_numpy.read_index(file, 0, True).shape == (1, 3, 4)


def test_a_slice_reads_only_its_bytes(tmp_path: Path) -> None:
    """The file is far larger than memory, and nearly all of it a hole."""
    path = tmp_path / "huge.safetensors"
    head = file_bytes({"a": Tensor("U8", (1 << 40,), b"")}).replace(b"[0,0]", b"[0,1099511627776]")
    text = head[8:].rstrip()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        out.truncate(8 + len(text) + (1 << 40))
        out.seek(8 + len(text) + (1 << 39))
        out.write(b"\x01\x02\x03\x04")
    for backend in ("mmap", "pread"):
        with safe_open(path, framework="pt", backend=backend) as file:
            assert file.get_slice("a")[1 << 39 : (1 << 39) + 4 : 2].tolist() == [1, 3]
    with weighbridge.open(path) as own:
        assert own["a"][(1 << 39) + 3] == 4


# Two elements a byte, the first in the low half: 0, 1, 2, ... 11 in rows of 4.
F4 = Tensor("F4", (3, 4), bytes([0x10, 0x32, 0x54, 0x76, 0x98, 0xBA]))
F4_ROWS = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("backend", ["mmap", "pread"])
@pytest.mark.parametrize(
    "index",
    [np.s_[:], np.s_[1], np.s_[..., 2:], np.s_[::-1], np.s_[..., ::-1], np.s_[::2, :2], np.s_[None, 1:], np.s_[2:0]],
)
def test_f4_is_sliced_by_elements(tmp_path: Path, backend: str, index: Any) -> None:
    path = write_file(tmp_path / "f4.safetensors", {"a": F4})
    expected = F4_ROWS[index]
    with safe_open(path, framework="np", backend=backend) as file:
        array = file.get_slice("a")[index]
        assert array.dtype.name == "float4_e2m1fn"
        assert np.array_equal(array.view(np.uint8), expected)
    with safe_open(path, framework="pt", backend=backend) as file:
        tensor = file.get_slice("a")[index]
        assert tensor.dtype == torch.float4_e2m1fn_x2
        packed = tensor.contiguous().view(torch.uint8).numpy()
        assert np.array_equal(packed, expected[..., 0::2] | expected[..., 1::2] << 4)


HALVES = [np.s_[:, 1:3], np.s_[0, 0], np.s_[:, ::2], np.s_[1:, ::-3]]


@pytest.mark.parametrize("index", HALVES)
def test_half_a_byte_is_had_where_elements_are_unpacked(tmp_path: Path, index: Any) -> None:
    path = write_file(tmp_path / "f4.safetensors", {"a": F4})
    with safe_open(path, framework="np") as file:
        array = file.get_slice("a")[index]
        assert np.array_equal(np.asarray(array).view(np.uint8), F4_ROWS[index])


@pytest.mark.parametrize("index", HALVES)
def test_half_a_byte_cannot_be_had_of_torch(tmp_path: Path, index: Any) -> None:
    path = write_file(tmp_path / "f4.safetensors", {"a": F4})
    with safe_open(path, framework="pt") as file, pytest.raises(SafetensorError) as caught:
        file.get_slice("a")[index]
    assert caught.value.code == "MisalignedSlice"
