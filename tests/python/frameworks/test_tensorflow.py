"""safetensors.tensorflow."""

from __future__ import annotations

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from weighbridge import numpy as wb
from weighbridge.safetensors import tensorflow as st_tf

from cases import ALL, arrays_of, assert_same, check_missing, check_slices

BACKENDS = ["mmap", "pread"]
KNOWN = [name for name in ALL if name != "float8_e8m0fnu"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_dtype_comes_back_from_a_file(backend: str, tmp_path: Path) -> None:
    arrays = arrays_of(KNOWN)
    tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
    st_tf.save_file(tensors, tmp_path / "x", {"format": "tf"})
    assert (tmp_path / "x").read_bytes() == wb.save(arrays, metadata={"format": "tf"})
    loaded = st_tf.load_file(tmp_path / "x", backend=backend)
    assert list(loaded) == list(wb.load_file(tmp_path / "x"))
    for name, array in arrays.items():
        assert tf.is_tensor(loaded[name])
        assert_same(loaded[name].numpy(), array, name)


def test_every_dtype_comes_back_from_memory() -> None:
    arrays = arrays_of(KNOWN)
    loaded = st_tf.load(st_tf.save({name: tf.convert_to_tensor(array) for name, array in arrays.items()}))
    for name, array in arrays.items():
        assert_same(loaded[name].numpy(), array, name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["float32", "bfloat16", "float8_e4m3fn", "float4_e2m1fn", "bool"])
def test_slices_are_those_of_numpy(name: str, backend: str, tmp_path: Path) -> None:
    check_slices("tf", name, tmp_path / "x", backend, lambda tensor: np.asarray(tensor.numpy()))


def test_a_dtype_that_tensorflow_lacks_is_refused(tmp_path: Path) -> None:
    check_missing("tf", "float8_e8m0fnu", tmp_path / "x")


def test_variables_are_saved_and_the_dict_is_left_alone(tmp_path: Path) -> None:
    tensors = {"a": tf.Variable([1.0, 2.0]), "b": tf.zeros((2, 2))}
    before = dict(tensors)
    st_tf.save_file(tensors, tmp_path / "x")
    assert all(tensors[name] is before[name] for name in before)
    assert st_tf.load(st_tf.save(tensors))["a"].numpy().tolist() == [1.0, 2.0]


def test_a_loaded_tensor_does_not_hang_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    wb.save_file({"a": np.ones(1 << 20, np.float32)}, path)
    loaded = st_tf.load_file(path)
    path.write_bytes(b"")
    assert float(tf.reduce_sum(loaded["a"])) == 1 << 20
