"""What went over the bridge comes back: torch.load(weights_only=True) equals the original."""

from __future__ import annotations

import collections
import math
import struct
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensors import DTYPES, bits, random_bits

from cli import Weighbridge


def assert_equal(expected: Any, actual: Any, where: str = "$") -> None:
    """The same types, values, order of keys and bits, down to the sign of zero and the kind of NaN."""
    assert type(actual) is type(expected), where
    if isinstance(expected, torch.Tensor):
        assert actual.dtype == expected.dtype, where
        assert actual.shape == expected.shape, where
        assert actual.requires_grad == expected.requires_grad, where
        assert bits(actual) == bits(expected), where
    elif isinstance(expected, dict):
        assert len(actual) == len(expected), where
        for (key, value), (other, found) in zip(expected.items(), actual.items(), strict=True):
            assert_equal(key, other, f"{where} key")
            assert_equal(value, found, f"{where}[{key!r}]")
        if isinstance(expected, collections.OrderedDict):
            assert vars(actual) == vars(expected), where
    elif isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected), where
        for i, (value, found) in enumerate(zip(expected, actual, strict=True)):
            assert_equal(value, found, f"{where}[{i}]")
    elif isinstance(expected, float):
        assert struct.pack("<d", actual) == struct.pack("<d", expected), where
    elif isinstance(expected, complex):
        assert_equal([expected.real, expected.imag], [actual.real, actual.imag], where)
    else:
        assert actual == expected, where


def over_the_bridge(weighbridge: Weighbridge, root: Any, folder: Path, *options: str) -> Path:
    """Saves `root`, converts it to safetensors with all that goes with it, and back."""
    source, middle, back = folder / "in.pt", folder / "middle.safetensors", folder / "back.pt"
    torch.save(root, source)
    weighbridge.ok("convert", source, "-o", middle, "--sidecar", "--optimizer", "separate", "--allow-empty", *options)
    weighbridge.ok("convert", middle, "--to", "pt", "-o", back, "--allow-empty")
    return back


def round_trip(weighbridge: Weighbridge, root: Any, folder: Path) -> Any:
    return torch.load(over_the_bridge(weighbridge, root, folder), weights_only=True)


finite_or_not = st.floats(width=64) | st.sampled_from(
    [math.nan, -0.0, struct.unpack("<d", b"\x01" + b"\0" * 5 + b"\xf0\x7f")[0]]
)
big = st.integers(min_value=-(2**2000), max_value=2**2000) | st.sampled_from(
    [2**63, -(2**63), 2**53, -(2**53) - 1, 2**31, -(2**31)]
)
texts = st.text(st.characters(codec=None, exclude_categories=[])) | st.sampled_from(["$tensor", "$ref", "a.b", ""])
scalars = (
    st.none()
    | st.booleans()
    | big
    | finite_or_not
    | st.builds(complex, st.floats(allow_nan=False), st.floats(allow_nan=False))
    | texts
    | st.binary(max_size=20)
    | st.binary(max_size=20).map(bytearray)
    | st.sampled_from([torch.float16, torch.int4, torch.complex128, torch.strided, torch.sparse_coo])
    | st.sampled_from([torch.device("cpu"), torch.device("cuda", 3), torch.Size([]), torch.Size([2, 3])])
)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    dtype = draw(st.sampled_from(sorted(DTYPES)))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    tensor = random_bits(DTYPES[dtype], *shape, seed=draw(st.integers(0, 2**20)))
    if tensor.dim() > 1 and draw(st.booleans()):
        tensor = tensor.transpose(0, 1)
    if tensor.dtype.is_floating_point and draw(st.booleans()):
        return torch.nn.Parameter(tensor, requires_grad=draw(st.booleans()))
    if tensor.dtype.is_floating_point and tensor.dtype.itemsize > 1 and draw(st.booleans()):
        return tensor.requires_grad_()
    return tensor


keys = texts | big | st.booleans() | st.none() | st.binary(max_size=5) | st.tuples(st.integers(0, 3), texts)
hashables = st.integers() | texts | st.tuples(st.integers(), st.integers())


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(hashables, max_size=4)
        | st.dictionaries(texts, inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=4).map(collections.OrderedDict)
        | st.dictionaries(texts, st.integers(0, 9), max_size=4).map(collections.Counter)
        | inner.map(lambda value: [value, value])
    )


objects = st.recursive(scalars | tensors(), containers, max_leaves=12)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(root=objects, rest=st.dictionaries(keys, scalars, max_size=4))
def test_any_object_comes_back(weighbridge: Weighbridge, root: Any, rest: dict[Any, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = {"state_dict": {"w": torch.arange(3)}, "rest": rest, "root": root}
        assert_equal(whole, round_trip(weighbridge, whole, Path(folder)))


def training_state() -> dict[str, Any]:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(torch.randn(5, 4)).sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "state_dict": model.state_dict(),
        "optimizer_states": [optimizer.state_dict()],
        "rng": torch.get_rng_state(),
        "hyper": {"lr": 1e-3, "betas": (0.9, 0.999), 1: "one"},
    }


def test_a_training_checkpoint_comes_back_whole(weighbridge: Weighbridge, tmp_path: Path) -> None:
    state = training_state()
    assert_equal(state, round_trip(weighbridge, state, tmp_path))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [
        "back.pt",
        "in.pt",
        "middle.optimizer.safetensors",
        "middle.safetensors",
        "middle.safetensors.meta.json",
    ]


def test_a_restored_optimizer_goes_on_as_if_nothing_had_happened(weighbridge: Weighbridge, tmp_path: Path) -> None:
    back = round_trip(weighbridge, training_state(), tmp_path)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2))
    model.load_state_dict(back["state_dict"])
    optimizer = torch.optim.AdamW(model.parameters())
    optimizer.load_state_dict(back["optimizer_states"][0])
    model(torch.randn(5, 4)).sum().backward()
    optimizer.step()
    assert optimizer.state_dict()["state"][0]["step"].item() == 2


@pytest.mark.parametrize(
    "key", ["optimizer", "optimizer_state_dict", "optimizer_states", "optim", "opt_state", "other"]
)
def test_an_optimizer_gets_a_file_of_its_own(weighbridge: Weighbridge, tmp_path: Path, key: str) -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()
    torch.save({"model": {"w": weight.detach()}, key: optimizer.state_dict()}, tmp_path / "in.pt")
    weighbridge.ok("convert", tmp_path / "in.pt", "--optimizer", "separate")
    names = [t["name"] for t in weighbridge.json("ls", tmp_path / "in.optimizer.safetensors")["tensors"]]
    assert sorted(names) == [f"{key}.state.0.{slot}" for slot in ("exp_avg", "exp_avg_sq", "step")]
    assert [t["name"] for t in weighbridge.json("ls", tmp_path / "in.safetensors")["tensors"]] == ["w"]


def test_an_optimizer_can_stay_with_the_model(weighbridge: Weighbridge, tmp_path: Path) -> None:
    state = {"model": {"w": torch.ones(2)}, "optimizer": {"state": {0: {"m": torch.zeros(2)}}, "param_groups": []}}
    torch.save(state, tmp_path / "in.pt")
    weighbridge.ok("convert", tmp_path / "in.pt", "--optimizer", "inline")
    names = [t["name"] for t in weighbridge.json("ls", tmp_path / "in.safetensors")["tensors"]]
    assert sorted(names) == ["optimizer.state.0.m", "w"]


def test_tied_tensors_share_one_storage_again(weighbridge: Weighbridge, tmp_path: Path) -> None:
    weight = torch.randn(64, 64)
    back = round_trip(weighbridge, {"state_dict": {"a": weight, "b": weight.view(64, 64), "c": weight}}, tmp_path)
    tied = back["state_dict"]
    assert tied["a"].untyped_storage().data_ptr() == tied["b"].untyped_storage().data_ptr()
    assert tied["a"] is tied["c"]
    assert tied["a"] is not tied["b"]


def test_shared_and_cyclic_containers_are_themselves_again(weighbridge: Weighbridge, tmp_path: Path) -> None:
    shared: list[Any] = [1]
    root: dict[str, Any] = {"a.b": shared, "a": {"b": shared}, "w": torch.ones(1), "empty": [], "pair": (shared,)}
    root["again"] = root["empty"]
    root["self"] = root
    back = round_trip(weighbridge, root, tmp_path)
    assert back["a.b"] is back["a"]["b"] is back["pair"][0]
    assert back["empty"] is back["again"]
    assert back["self"] is back


def test_memory_formats_come_back(weighbridge: Weighbridge, tmp_path: Path) -> None:
    image = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    back = round_trip(weighbridge, {"image": image, "turned": torch.randn(3, 4).t()}, tmp_path)
    assert back["image"].stride() == image.stride()
    assert back["turned"].stride() == (1, 4)
    assert bits(back["image"]) == bits(image)


def test_attributes_of_tensors_come_back(weighbridge: Weighbridge, tmp_path: Path) -> None:
    tensor = torch.ones(2)
    tensor.note = ["x", 1]
    back = round_trip(weighbridge, {"t": tensor, "again": tensor}, tmp_path)
    assert back["t"].note == ["x", 1]
    assert back["t"] is back["again"]


def test_ordered_dicts_keep_their_attributes(weighbridge: Weighbridge, tmp_path: Path) -> None:
    state = torch.nn.Linear(2, 2).state_dict()
    back = round_trip(weighbridge, state, tmp_path)
    assert_equal(state, back)
    assert back._metadata == state._metadata


def test_a_storage_comes_back_as_one(weighbridge: Weighbridge, tmp_path: Path) -> None:
    back = round_trip(weighbridge, {"w": torch.ones(2), "s": torch.arange(3.0).untyped_storage()}, tmp_path)
    original = torch.load(tmp_path / "in.pt", weights_only=True)["s"]
    assert type(back["s"]) is type(original)
    assert back["s"].tolist() == original.tolist()


def test_a_file_alone_becomes_a_dict_of_tensors(weighbridge: Weighbridge, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    tensors = {name: random_bits(dtype, 3, 4) for name, dtype in DTYPES.items()}
    save_file(tensors, tmp_path / "in.safetensors")
    weighbridge.ok("convert", tmp_path / "in.safetensors", "--to", "pt")
    back = torch.load(tmp_path / "in.pt", weights_only=True)
    assert {name: bits(tensor) for name, tensor in back.items()} == {n: bits(t) for n, t in tensors.items()}


def test_aliases_of_save_model_come_back(weighbridge: Weighbridge, tmp_path: Path) -> None:
    from safetensors.torch import save_model

    model = torch.nn.ModuleDict({"a": torch.nn.Linear(3, 3, bias=False), "b": torch.nn.Linear(3, 3, bias=False)})
    model["b"].weight = model["a"].weight
    save_model(model, str(tmp_path / "in.safetensors"))
    weighbridge.ok("convert", tmp_path / "in.safetensors", "--to", "pt")
    back = torch.load(tmp_path / "in.pt", weights_only=True)
    assert sorted(back) == ["a.weight", "b.weight"]
    assert back["a.weight"].data_ptr() == back["b.weight"].data_ptr()


def test_objects_are_refused_by_name_or_dropped(weighbridge: Weighbridge, tmp_path: Path) -> None:
    import argparse

    torch.save({"w": torch.ones(1), "args": argparse.Namespace(lr=1), "f": frozenset([1])}, tmp_path / "in.pt")
    refused = weighbridge.run("convert", tmp_path / "in.pt", "--to", "pt", "-o", tmp_path / "out.pt")
    assert refused.returncode == 1
    assert "argparse.Namespace, builtins.frozenset" in refused.stderr
    assert not (tmp_path / "out.pt").exists()
    weighbridge.ok("convert", tmp_path / "in.pt", "--to", "pt", "-o", tmp_path / "out.pt", "--drop-objects")
    back = torch.load(tmp_path / "out.pt", weights_only=True)
    assert back["args"] is None
    assert back["f"] is None
    assert back["w"].item() == 1


def test_a_sidecar_of_another_file_is_refused(weighbridge: Weighbridge, tmp_path: Path) -> None:
    over_the_bridge(weighbridge, {"w": torch.ones(1)}, tmp_path)
    torch.save({"v": torch.ones(1)}, tmp_path / "other.pt")
    weighbridge.ok("convert", tmp_path / "other.pt", "-o", tmp_path / "middle.safetensors", "--force")
    done = weighbridge.run("convert", tmp_path / "middle.safetensors", "--to", "pt", "-o", tmp_path / "x.pt")
    assert done.returncode == 1
    assert "tensor 'w'" in done.stderr
    weighbridge.ok("convert", tmp_path / "middle.safetensors", "--to", "pt", "-o", tmp_path / "x.pt", "--no-sidecar")
    assert list(torch.load(tmp_path / "x.pt", weights_only=True)) == ["v"]


def test_archives_are_sound_for_other_zip_tools(weighbridge: Weighbridge, tmp_path: Path) -> None:
    back = over_the_bridge(weighbridge, training_state(), tmp_path)
    with zipfile.ZipFile(back) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[0] == "archive/data.pkl"
        assert archive.read("archive/byteorder") == b"little"
        assert archive.read("archive/version") == b"3\n"
        raw = back.read_bytes()
        for info in archive.infolist():
            lengths = struct.unpack_from("<HH", raw, info.header_offset + 26)
            assert (info.header_offset + 30 + sum(lengths)) % 64 == 0, info.filename
    assert torch.load(back, weights_only=True, mmap=True)["epoch"] == 3


def test_converting_back_and_forth_gives_the_same_bytes(weighbridge: Weighbridge, tmp_path: Path) -> None:
    back = over_the_bridge(weighbridge, training_state(), tmp_path)
    again = tmp_path / "again.safetensors"
    weighbridge.ok("convert", back, "-o", again, "--sidecar", "--optimizer", "separate")
    for suffix in (".safetensors", ".optimizer.safetensors", ".safetensors.meta.json"):
        assert (tmp_path / f"again{suffix}").read_bytes() == (tmp_path / f"middle{suffix}").read_bytes()


def test_the_archive_can_go_through_a_pipe(weighbridge: Weighbridge, tmp_path: Path) -> None:
    torch.save({"w": torch.arange(5)}, tmp_path / "in.pt")
    command = [weighbridge.executable, "convert", str(tmp_path / "in.pt"), "--to", "pt", "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    (tmp_path / "out.pt").write_bytes(done.stdout)
    assert torch.load(tmp_path / "out.pt", weights_only=True)["w"].tolist() == [0, 1, 2, 3, 4]
