"""safetensors.flax: arrays of jax, with 64 bits and without."""

from __future__ import annotations

import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from weighbridge import numpy as wb
from weighbridge.safetensors import flax, safe_open

from cases import ALL, EIGHTS, array_of, arrays_of, assert_same, check_slices

BACKENDS = ["mmap", "pread"]


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_dtype_comes_back_from_a_file(backend: str, tmp_path: Path) -> None:
    arrays = arrays_of(ALL)
    flax.save_file({name: jnp.array(array) for name, array in arrays.items()}, tmp_path / "x", {"format": "flax"})
    assert (tmp_path / "x").read_bytes() == wb.save(arrays, metadata={"format": "flax"})
    loaded = flax.load_file(tmp_path / "x", backend=backend)
    assert list(loaded) == list(wb.load_file(tmp_path / "x"))
    for name, array in arrays.items():
        assert isinstance(loaded[name], jax.Array)
        assert_same(np.asarray(loaded[name]), array, name)


def test_every_dtype_comes_back_from_memory() -> None:
    arrays = arrays_of(ALL)
    loaded = flax.load(flax.save({name: jnp.array(array) for name, array in arrays.items()}))
    for name, array in arrays.items():
        assert_same(np.asarray(loaded[name]), array, name)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["float32", "bfloat16", *EIGHTS[:1], "float4_e2m1fn", "bool"])
def test_slices_are_those_of_numpy(name: str, backend: str, tmp_path: Path) -> None:
    check_slices("flax", name, tmp_path / "x", backend, np.asarray)


def test_the_dict_of_the_caller_is_left_alone(tmp_path: Path) -> None:
    tensors = {"a": jnp.ones(3), "b": jnp.zeros((2, 2))}
    before = dict(tensors)
    flax.save(tensors)
    flax.save_file(tensors, tmp_path / "x")
    assert tensors.keys() == before.keys()
    assert all(tensors[name] is before[name] for name in before)


def test_transposed_arrays_are_saved_as_what_they_show() -> None:
    array = jnp.arange(12.0).reshape(3, 4).T[::2]
    assert_same(np.asarray(flax.load(flax.save({"a": array}))["a"]), np.asarray(array))


def test_a_loaded_array_does_not_hang_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    wb.save_file({"a": np.ones(1 << 20, np.float32)}, path)
    loaded = flax.load_file(path)
    path.write_bytes(b"")
    assert float(loaded["a"].sum()) == 1 << 20


def test_it_is_said_when_64_bits_become_32(tmp_path: Path) -> None:
    wb.save_file({"a": array_of("int64"), "b": array_of("int32")}, tmp_path / "x")
    with jax.enable_x64(False), safe_open(tmp_path / "x", "flax") as file:
        with pytest.warns(UserWarning, match="int64 is int32 in jax"):
            assert file.get_tensor("a").dtype == jnp.int32
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            file.get_tensor("b")


def test_jax_and_flax_are_one_framework(tmp_path: Path) -> None:
    wb.save_file({"a": array_of("float32")}, tmp_path / "x")
    with safe_open(tmp_path / "x", "jax") as file:
        assert isinstance(file.get_tensor("a"), jax.Array)
