"""safetensors.paddle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from weighbridge import numpy as wb
from weighbridge.safetensors import paddle as st_paddle
from weighbridge.safetensors import safe_open

from cases import array_of, arrays_of, assert_same, check_missing, check_slices

BACKENDS = ["mmap", "pread"]
KNOWN = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64"]
KNOWN += ["float8_e4m3fn", "float8_e5m2"]
LACKING = ["uint16", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz", "float4_e2m1fn"]


def to_numpy(tensor: paddle.Tensor) -> np.ndarray[Any, Any]:
    """The tensor in numpy: Paddle gives integers for what numpy does not have."""
    name = str(tensor.dtype).removeprefix("paddle.")
    return tensor.numpy().view(array_of(name).dtype)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_dtype_comes_back_from_a_file(backend: str, tmp_path: Path) -> None:
    arrays = arrays_of(KNOWN)
    wb.save_file(arrays, tmp_path / "x", metadata={"format": "paddle"})
    loaded = st_paddle.load_file(tmp_path / "x", backend=backend)
    assert list(loaded) == list(wb.load_file(tmp_path / "x"))
    for name, array in arrays.items():
        assert isinstance(loaded[name], paddle.Tensor)
        assert_same(to_numpy(loaded[name]), array, name)
    st_paddle.save_file(loaded, tmp_path / "y", {"format": "paddle"})
    assert (tmp_path / "y").read_bytes() == (tmp_path / "x").read_bytes()


def test_every_dtype_comes_back_from_memory() -> None:
    data = wb.save(arrays_of(KNOWN))
    assert st_paddle.save(st_paddle.load(data)) == data


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["float32", "int64", "bool"])
def test_slices_are_those_of_numpy(name: str, backend: str, tmp_path: Path) -> None:
    check_slices("paddle", name, tmp_path / "x", backend, to_numpy)


@pytest.mark.parametrize("name", LACKING)
def test_a_dtype_that_paddle_lacks_is_refused(name: str, tmp_path: Path) -> None:
    check_missing("paddle", name, tmp_path / "x")


def test_loaded_tensors_may_be_written_to_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "x"
    wb.save_file({"a": np.ones(1 << 16, np.float32)}, path)
    before = path.read_bytes()
    tensor = st_paddle.load_file(path)["a"]
    tensor[:] = 7.0
    assert float(tensor.sum()) == 7.0 * (1 << 16)
    assert path.read_bytes() == before
    assert float(st_paddle.load_file(path)["a"].sum()) == 1 << 16


def test_a_tensor_outlives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    wb.save_file({"a": np.ones(1 << 16, np.float32)}, path)
    with safe_open(path, "paddle") as file:
        tensor, part = file.get_tensor("a"), file.get_slice("a")[10:20]
    path.unlink()
    assert float(tensor.sum() + part.sum()) == (1 << 16) + 10


def test_what_is_no_dense_tensor_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected a dict"):
        st_paddle.save([paddle.ones([2])])
    with pytest.raises(ValueError, match="Key `a` is invalid"):
        st_paddle.save({"a": np.ones(2)})
    with pytest.raises(ValueError, match="non contiguous tensor: `a`"):
        st_paddle.save({"a": paddle.ones([2, 3]).transpose([1, 0])})


def test_the_dict_of_the_caller_is_left_alone() -> None:
    tensors = {"a": paddle.ones([3]), "b": paddle.zeros([2, 0])}
    before = dict(tensors)
    st_paddle.save(tensors)
    assert all(tensors[name] is before[name] for name in before)


def test_the_helpers_of_the_reference_do_their_work() -> None:
    tensors = {"a": paddle.ones([2, 3], dtype="bfloat16"), "f8": paddle.ones([4]).astype("float8_e4m3fn")}
    views = st_paddle.deserialize(st_paddle.save(tensors))
    again = st_paddle._view2paddle(views, "cpu")
    for name, tensor in tensors.items():
        assert again[name].dtype == tensor.dtype
        assert_same(to_numpy(again[name]), to_numpy(tensor), name)
        data, kept = st_paddle._to_ndarray(tensor, name)
        assert data.tobytes() == to_numpy(kept).tobytes()
        assert data.nbytes == kept.size * st_paddle._SIZE[kept.dtype]
    assert st_paddle._getdtype("BF16") == paddle.bfloat16
    pair = st_paddle._paddle2np(st_paddle._np2paddle({"a": np.arange(3)}))
    assert pair["a"].tolist() == [0, 1, 2]
