"""The real wheel writes safetensors files; we read them, and write them again byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file, save_model
from tensors import DTYPES, assert_same, metadata, random_bits, sha256
from torch import nn

from cli import Weighbridge


def every_dtype() -> dict[str, torch.Tensor]:
    return {f"layer.{name.lower()}": random_bits(dtype, 3, 5) for name, dtype in DTYPES.items()}


def test_names_dtypes_and_shapes_are_listed(weighbridge: Weighbridge, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file(every_dtype(), file)
    listed = {t["name"]: (t["dtype"], t["shape"], t["bytes"]) for t in weighbridge.json("ls", file)["tensors"]}
    assert listed == {f"layer.{name.lower()}": (name, [3, 5], 15 * dtype.itemsize) for name, dtype in DTYPES.items()}


def test_each_tensors_hash_is_that_of_its_bits(weighbridge: Weighbridge, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    state = every_dtype()
    save_file(state, file)
    document = weighbridge.json("hash", "--tensors", file)
    assert document["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert {t["name"]: t["sha256"] for t in document["tensors"]} == {n: sha256(t) for n, t in state.items()}


@pytest.mark.parametrize("info", [None, {}, {"format": "pt"}], ids=["none", "empty", "format"])
def test_a_torch_file_is_written_again_byte_for_byte(
    weighbridge: Weighbridge, tmp_path: Path, info: dict[str, str] | None
) -> None:
    file = tmp_path / "model"
    save_file(every_dtype(), file, metadata=info)
    assert weighbridge.convert(file).read_bytes() == file.read_bytes()


def test_a_numpy_file_is_written_again_byte_for_byte(weighbridge: Weighbridge, tmp_path: Path) -> None:
    file = tmp_path / "arrays"
    arrays: dict[str, np.ndarray] = {
        "a": np.arange(12, dtype=np.int16).reshape(3, 4),
        "b": np.array(2.5),
        "c": np.zeros((0, 3)),
    }
    safetensors.numpy.save_file(arrays, file)
    assert weighbridge.convert(file).read_bytes() == file.read_bytes()


def test_a_file_without_tensors_is_written_again_byte_for_byte(weighbridge: Weighbridge, tmp_path: Path) -> None:
    file = tmp_path / "empty"
    save_file({}, file, metadata={"only": "this"})
    assert weighbridge.convert(file, "--allow-empty").read_bytes() == file.read_bytes()


def test_much_metadata_comes_over_sorted_by_key(weighbridge: Weighbridge, tmp_path: Path) -> None:
    file = tmp_path / "model"
    info = {key: f'{key} "quoted" \\ \n \u00e9\u4e16' for key in ("zeta", "alpha", "mid", "\u00fc")}
    state = every_dtype()
    save_file(state, file, metadata=info)
    again = weighbridge.convert(file)
    assert metadata(again) == info
    assert list(metadata(again)) == sorted(info, key=str.encode)
    assert again.stat().st_size == file.stat().st_size
    assert_same(state, load_file(again))


def test_a_tied_model_saved_by_the_wheel_keeps_its_aliases(weighbridge: Weighbridge, tmp_path: Path) -> None:
    model = nn.ModuleDict({"embedding": nn.Embedding(6, 4), "head": nn.Linear(4, 6, bias=False)})
    model["head"].weight = model["embedding"].weight
    file = tmp_path / "model"
    save_model(model, str(file))
    again = weighbridge.convert(file)
    assert metadata(again) == metadata(file)
    assert_same(load_file(file), load_file(again))


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda name: name != "__metadata__")
TENSORS = st.builds(
    lambda dtype, shape, seed: random_bits(dtype, *shape, seed=seed),
    st.sampled_from(list(DTYPES.values())),
    st.lists(st.integers(0, 4), max_size=4),
    st.integers(0, 99),
)
METADATA = st.none() | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), NAMES, max_size=1)


@given(state=st.dictionaries(NAMES, TENSORS, min_size=1, max_size=8), info=METADATA)
def test_whatever_the_wheel_writes_is_written_again_byte_for_byte(
    weighbridge: Weighbridge,
    tmp_path_factory: pytest.TempPathFactory,
    state: dict[str, torch.Tensor],
    info: dict[str, str] | None,
) -> None:
    file = tmp_path_factory.mktemp("any") / "model"
    save_file(state, file, metadata=info)
    assert weighbridge.convert(file).read_bytes() == file.read_bytes()
