"""Checkpoints that flax writes are read: every dtype, scalars, chunks, train states."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import ml_dtypes
import msgpack
import numpy as np
import pytest
from arrays import Tensor, read, tensor_of
from flax import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cli import Weighbridge

ML_TYPES = {
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0",
}
TYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
TYPES += ["float16", "float32", "float64", "complex64"]


@pytest.fixture(scope="module")
def weighbridge() -> Weighbridge:
    return Weighbridge(os.environ["WEIGHBRIDGE_CLI"])


def converted(weighbridge: Weighbridge, tree: Any, folder: Path, *options: str) -> dict[str, Tensor]:
    source, output = folder / "in.msgpack", folder / "out.safetensors"
    source.write_bytes(serialization.to_bytes(tree))
    weighbridge.ok("convert", source, "-o", output, "--force", *options)
    return read(output)


def test_every_type(weighbridge: Weighbridge, tmp_path: Path) -> None:
    numbers = np.arange(24).reshape(2, 3, 4)
    plain = {name: (numbers % 2 if name == "bool" else numbers).astype(name) for name in TYPES}
    small = {name: np.arange(6).astype(getattr(ml_dtypes, name)).reshape(3, 2) for name in ML_TYPES}
    found = converted(weighbridge, {"params": plain | small}, tmp_path, "--key", ".")
    assert sorted(found) == sorted(f"params.{name}" for name in plain | small)
    for name, array in plain.items():
        assert found[f"params.{name}"] == tensor_of(array), name
    for name, array in small.items():
        assert found[f"params.{name}"] == Tensor(ML_TYPES[name], (3, 2), array.tobytes()), name


def test_a_train_state(weighbridge: Weighbridge, tmp_path: Path) -> None:
    params = {"dense": {"kernel": jnp.ones((2, 3), jnp.bfloat16), "bias": jnp.zeros(3)}}
    state = {"step": 7, "params": params, "opt_state": [{"mu": params}, {"count": np.int32(3)}], "c": 1 + 2j, "n": None}
    found = converted(weighbridge, state, tmp_path, "--key", "params")
    assert {name: (tensor.dtype, tensor.shape) for name, tensor in found.items()} == {
        "dense.kernel": ("BF16", (2, 3)),
        "dense.bias": ("F32", (3,)),
    }
    every = converted(weighbridge, state, tmp_path, "--key", ".", "--sidecar")
    assert "opt_state.0.mu.dense.kernel" in every
    tree = json.loads((tmp_path / "out.safetensors.meta.json").read_text())["tree"]
    assert (tree["step"], tree["n"], tree["c"]) == (7, None, {"$complex": [1.0, 2.0]})
    assert tree["opt_state"]["1"]["count"]["$value"] == 3


def test_arrays_in_chunks(weighbridge: Weighbridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serialization, "MAX_CHUNK_SIZE", 100)
    array = np.arange(1000, dtype=np.float32).reshape(10, 100)
    found = converted(weighbridge, {"w": array, "v": np.ones(3)}, tmp_path)
    assert b"__msgpack_chunked_array__" in (tmp_path / "in.msgpack").read_bytes()
    assert found == {"w": tensor_of(array), "v": tensor_of(np.ones(3))}


def test_what_old_versions_wrote(weighbridge: Weighbridge, tmp_path: Path) -> None:
    """Without a type for bytes: names and data are both raw."""
    array = np.arange(100, dtype=np.int16)

    def old(value: Any) -> Any:
        return msgpack.ExtType(1, msgpack.packb((value.shape, value.dtype.name, value.tobytes()), use_bin_type=False))

    source, output = tmp_path / "in.msgpack", tmp_path / "out.safetensors"
    source.write_bytes(msgpack.packb({"w": old(array)}, use_bin_type=False))
    weighbridge.ok("convert", source, "-o", output)
    assert read(output) == {"w": tensor_of(array)}


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1, max_size=8)
ARRAYS = st.sampled_from(["<f4", "<i8", "|u1", "|b1", "<f2"]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
TREES = st.recursive(ARRAYS, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4), max_leaves=12)


def leaves(tree: Any, prefix: str = "") -> dict[str, np.ndarray[Any, Any]]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    found = {}
    for key, value in tree.items():
        found.update(leaves(value, f"{prefix}.{key}" if prefix else key))
    return found


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=4))
def test_any_tree(weighbridge: Weighbridge, tmp_path: Path, tree: dict[str, Any]) -> None:
    found = converted(weighbridge, tree, tmp_path, "--key", ".")
    assert found == {name: tensor_of(array) for name, array in leaves(tree).items()}
