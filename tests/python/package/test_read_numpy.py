"""Reading into numpy: every dtype, without a copy or with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from handmade import BITS, Tensor, every_dtype, file_bytes, write_file
from weighbridge import SafetensorError
from weighbridge import numpy as own
from weighbridge.safetensors import numpy as mirror
from weighbridge.safetensors import safe_open

EVERY = every_dtype()


def plain_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """An array's bytes as the file has them: F4 packed again."""
    raw = np.ascontiguousarray(array)
    if raw.dtype != ml_dtypes.float4_e2m1fn:
        return raw.tobytes()
    elements = raw.view(np.uint8).reshape(-1)
    return (elements[0::2] | elements[1::2] << 4).tobytes()


def check_every(arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    assert list(arrays) == list(EVERY)
    for name, array in arrays.items():
        assert array.shape == EVERY[name].shape
        assert plain_bytes(array) == EVERY[name].content
    assert arrays["bf16"].dtype == ml_dtypes.bfloat16
    assert arrays["f8_e8m0"].dtype == ml_dtypes.float8_e8m0fnu
    assert arrays["f4"].dtype == ml_dtypes.float4_e2m1fn
    assert arrays["bool"].dtype == np.bool_


@pytest.mark.parametrize("backend", ["auto", "mmap", "pread"])
@pytest.mark.parametrize("copy", [False, True])
def test_every_dtype_is_read(tmp_path: Path, backend: str, copy: bool) -> None:
    path = write_file(tmp_path / "every.safetensors", EVERY)
    arrays = own.load_file(path, copy=copy, backend=backend)
    check_every(arrays)
    assert all(array.flags.writeable == copy for array in arrays.values())


@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_the_mirror_gives_writable_arrays(tmp_path: Path, backend: str) -> None:
    path = write_file(tmp_path / "every.safetensors", EVERY)
    before = path.read_bytes()
    arrays = mirror.load_file(path, backend=backend)
    check_every(arrays)
    for array in arrays.values():
        array[...] = array[::-1].copy()
    assert path.read_bytes() == before


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_any_buffer_is_a_file(make: Any) -> None:
    check_every(own.load(make(file_bytes(EVERY))))
    arrays = mirror.load(make(file_bytes(EVERY)))
    check_every(arrays)
    assert all(array.flags.writeable for array in arrays.values())


def test_views_of_a_buffer_keep_it() -> None:
    data = bytearray(file_bytes({"a": Tensor("U8", (4,))}))
    array = own.load(data)["a"]
    with pytest.raises(BufferError):
        data.clear()
    data[-1] = 77
    assert array[3] == 77
    del array
    data.clear()


@pytest.mark.parametrize("size", [16, 3 << 20])
def test_two_calls_share_nothing(tmp_path: Path, size: int) -> None:
    """Small tensors are copies and large ones mappings of their own: writing to one never shows in another."""
    path = write_file(tmp_path / "a.safetensors", {"a": Tensor("U8", (size,)), "b": Tensor("U8", (size,))})
    for backend in ("mmap", "pread"):
        with safe_open(path, framework="np", backend=backend) as file:
            first, second = file.get_tensor("a"), file.get_tensor("a")
            whole, again = file.get_tensors(), file.get_tensors()
            first[:] = 7
            whole["a"][:] = 8
            assert second[5] == again["a"][5] == 5
            assert file.get_tensor("a")[5] == 5


def test_arrays_survive_the_replacement_of_their_file(tmp_path: Path) -> None:
    tensors = {"a": Tensor("U8", (2 << 20,))}
    path = write_file(tmp_path / "a.safetensors", tensors)
    arrays = [own.load_file(path)["a"], mirror.load_file(path)["a"]]
    other = tmp_path / "other"
    other.write_bytes(bytes(10))
    other.replace(path)
    assert [array.tobytes() == tensors["a"].content for array in arrays] == [True, True]


def test_large_files_are_read_in_pieces(tmp_path: Path) -> None:
    """More than one block, more than one thread's piece, and small tensors between large ones."""
    sizes = [9 << 20, 3, 1, 5 << 20, 100, (4 << 20) + 1, 17]
    tensors = {str(i): Tensor("U8", (size,)) for i, size in enumerate(sizes)}
    path = write_file(tmp_path / "large.safetensors", tensors)
    for arrays in (own.load_file(path, copy=True), own.load_file(path, backend="pread")):
        assert {name: array.tobytes() for name, array in arrays.items()} == {k: t.content for k, t in tensors.items()}


def test_copies_are_aligned_where_the_file_is_not() -> None:
    data = file_bytes({"a": Tensor("U8", (1,)), "b": Tensor("F64", (3,)), "c": Tensor("BF16", (2,))}, padding=0)
    for arrays in (own.load(data, copy=True), mirror.load(data)):
        assert all(array.flags.aligned for array in arrays.values())
        assert arrays["b"].tobytes() == Tensor("F64", (3,)).content


def test_files_without_tensors_and_tensors_without_bytes(tmp_path: Path) -> None:
    path = write_file(tmp_path / "none.safetensors", {})
    assert own.load_file(path) == mirror.load_file(path) == own.load(path.read_bytes()) == {}
    write_file(path, {"a": Tensor("F32", (0, 3)), "b": Tensor("BF16", (2, 0)), "f4": Tensor("F4", (3, 0))})
    for arrays in (own.load_file(path), mirror.load_file(path), own.load_file(path, backend="pread")):
        assert [array.shape for array in arrays.values()] == [(0, 3), (2, 0), (3, 0)]


def test_f6_is_refused_by_name_and_its_bytes_can_be_had() -> None:
    tensor = Tensor("F6_E2M3", (4,))
    assert BITS[tensor.code] * 4 == 8 * len(tensor.content)
    with pytest.raises(SafetensorError, match="Dtype not understood: F6_E2M3"):
        own.load(file_bytes({"a": tensor}))
