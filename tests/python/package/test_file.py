"""weighbridge.open: a lazy mapping over anything that holds a file."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import weighbridge
import weighbridge.numpy
import weighbridge.torch
from handmade import Tensor, file_bytes, write_file
from weighbridge import SafetensorError

TENSORS = {
    "b": Tensor("F32", (2, 3)),
    "a": Tensor("U8", (5,)),
    "scalar": Tensor("U8", ()),
    "none": Tensor("U8", (0, 4)),
}
DATA = file_bytes(TENSORS, {"z": "1", "a": "2"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "model.safetensors"
    file.write_bytes(DATA)
    return file


@pytest.mark.parametrize("kind", ["path", "text", "file", "descriptor", "bytes", "bytearray", "memoryview", "stream"])
def test_everything_that_holds_a_file_can_be_opened(path: Path, kind: str) -> None:
    with path.open("rb") as handle:
        source = {
            "path": path,
            "text": str(path),
            "file": handle,
            "descriptor": handle.fileno(),
            "bytes": DATA,
            "bytearray": bytearray(DATA),
            "memoryview": memoryview(DATA),
            "stream": io.BytesIO(DATA),
        }[kind]
        file = weighbridge.open(source)
    with file:
        assert list(file) == ["b", "a", "scalar", "none"]
        assert file.metadata == {"a": "2", "z": "1"}
        assert list(file.metadata) == ["a", "z"]
        assert {name: (tensor.dtype, tensor.shape, bytes(tensor.buffer())) for name, tensor in file.items()} == {
            name: (tensor.code, tensor.shape, tensor.content) for name, tensor in TENSORS.items()
        }


def test_a_descriptor_is_used_itself(path: Path) -> None:
    """Neither the name nor the position of the descriptor matters, and it stays the caller's."""
    with path.open("rb") as handle:
        path.unlink()
        handle.seek(11)
        file = weighbridge.open(handle)
        assert handle.tell() == 11
    assert bytes(file["a"].buffer()) == TENSORS["a"].content


def test_it_is_a_mapping(path: Path) -> None:
    with weighbridge.open(path) as file:
        assert len(file) == 4
        assert "a" in file
        assert "A" not in file
        assert 1 not in file
        assert file.get("A") is None
        assert file["b"].offset % 8 == 0
        assert file["b"].size_in_bytes == 24
        assert repr(file["b"]) == "StoredTensor('b', F32, [2, 3])"
        with pytest.raises(KeyError) as caught:
            file["A"]
        assert isinstance(caught.value, SafetensorError)
        assert str(caught.value) == "File does not contain tensor A"


def test_what_was_taken_outlives_the_file(path: Path) -> None:
    with weighbridge.open(path) as file:
        tensor, array = file["a"], file["b"].numpy()
    path.unlink()
    assert bytes(tensor.buffer()) == TENSORS["a"].content
    assert array.tobytes() == TENSORS["b"].content
    with pytest.raises(SafetensorError, match="File is closed"):
        file["a"]


@pytest.mark.parametrize("backend", ["auto", "pread"])
def test_views_are_read_only_and_copies_are_not(path: Path, backend: str) -> None:
    with weighbridge.open(path, backend=backend) as file:
        assert file["a"].buffer().readonly
        assert not file["a"].numpy().flags.writeable
        assert file["a"].numpy(copy=True).flags.writeable
        assert not any(array.flags.writeable for array in file.numpy().values())
        assert all(array.flags.writeable for array in file.numpy(copy=True).values())


def test_numpy_and_torch_take_it_directly(path: Path) -> None:
    with weighbridge.open(path) as file:
        assert np.array_equal(np.asarray(file["b"]), file["b"].numpy())
        assert torch.from_dlpack(file["b"]).numpy().tobytes() == TENSORS["b"].content
        assert file["b"].torch().shape == (2, 3)


def test_an_open_file_that_shrinks_is_an_error_and_no_short_read(path: Path) -> None:
    with weighbridge.open(path, backend="pread") as file:
        os.truncate(path, len(DATA) - 3)
        with pytest.raises(SafetensorError):
            file["none"], file["scalar"].numpy()


def test_a_file_that_shrank_is_not_mapped(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.safetensors", {"a": Tensor("U8", (3 << 20,))})
    with weighbridge.open(path) as file:
        os.truncate(path, 1 << 20)
        for load in (file.numpy, file.torch, file["a"].torch):
            with pytest.raises(SafetensorError, match="it changed while it was read"):
                load()


def test_unknown_backends_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="'fast' is none of auto, mmap, pread"):
        weighbridge.open(path, backend="fast")


def shards(folder: Path, **weight_map: str) -> Path:
    write_file(folder / "one.safetensors", {"a": Tensor("U8", (2,))})
    write_file(folder / "two.safetensors", {"b": Tensor("U8", (3,)), "c": Tensor("U8", (1,))})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return index


def test_shards_are_one_file(tmp_path: Path) -> None:
    index = shards(tmp_path, c="two.safetensors", a="one.safetensors", b="two.safetensors")
    for source in (index, [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]):
        with weighbridge.open(source) as file:
            assert list(file) == ["a", "b", "c"]
            assert len(file) == 3
            assert file["c"].shape == (1,)
            assert file.size_in_bytes == 6
        assert list(weighbridge.numpy.load_file(source)) == ["a", "b", "c"]
        assert list(weighbridge.torch.load_file(source)) == ["a", "b", "c"]


def test_an_index_must_fit_its_shards(tmp_path: Path) -> None:
    index = shards(tmp_path, a="two.safetensors")
    with pytest.raises(SafetensorError, match=r"tensor 'a' is not in shard 'two.safetensors'"):
        weighbridge.open(index)
    index.write_text("[]")
    with pytest.raises(SafetensorError, match="no object 'weight_map'"):
        weighbridge.open(index)


@pytest.mark.parametrize("name", ["../secret.safetensors", "{folder}/secret.safetensors"])
def test_an_index_leads_to_no_other_folder(tmp_path: Path, name: str) -> None:
    write_file(tmp_path / "secret.safetensors", {"a": Tensor("U8", (2,))})
    (tmp_path / "model").mkdir()
    index = shards(tmp_path / "model", a=name.format(folder=tmp_path))
    with pytest.raises(SafetensorError, match="outside its folder"):
        weighbridge.open(index)


def many_shards(folder: Path, count: int) -> list[Path]:
    return [
        write_file(folder / f"{i:03}.safetensors", {f"layers.{i}.{j}": Tensor("U8", (j + 1,)) for j in range(5)})
        for i in range(count)
    ]


def test_many_shards_stay_in_order(tmp_path: Path) -> None:
    paths = many_shards(tmp_path, 60)
    index = tmp_path / "model.safetensors.index.json"
    names = [f"layers.{i}.{j}" for i in range(60) for j in range(5)]
    index.write_text(json.dumps({"weight_map": {n: f"{int(n.split('.')[1]):03}.safetensors" for n in names}}))
    for source in (index, paths, list(map(str, paths))):
        with weighbridge.open(source) as file:
            assert list(file) == names
            assert len(file["layers.59.4"].buffer()) == 5


def test_the_first_broken_shard_is_named(tmp_path: Path) -> None:
    paths = many_shards(tmp_path, 60)
    for number in (31, 32, 59):
        os.truncate(paths[number], number)
    for _ in range(20):
        with pytest.raises(SafetensorError, match="the file has 23 behind it"):
            weighbridge.open(paths)
    paths[7].unlink()
    with pytest.raises(FileNotFoundError, match=r"007\.safetensors"):
        weighbridge.open(paths)


def test_a_name_that_an_index_leaves_out_is_in_one_shard_only(tmp_path: Path) -> None:
    index = shards(tmp_path, a="one.safetensors", b="two.safetensors")
    write_file(tmp_path / "two.safetensors", {"a": Tensor("U8", (2,)), "b": Tensor("U8", (3,))})
    with pytest.raises(SafetensorError, match="tensor 'a' is in two shards"):
        weighbridge.open(index)


def test_a_name_is_in_one_shard_only(tmp_path: Path) -> None:
    path = write_file(tmp_path / "one.safetensors", {"a": Tensor("U8", (2,))})
    with pytest.raises(SafetensorError, match="tensor 'a' is in two shards"):
        weighbridge.open([path, path])


def test_opening_makes_no_objects_for_tensors() -> None:
    data = file_bytes({f"layers.{i}.weight": Tensor("U8", (1,)) for i in range(20_000)})
    weighbridge.open(data)
    before = sys.getallocatedblocks()
    file = weighbridge.open(data)
    assert sys.getallocatedblocks() - before < 100
    assert len(file) == 20_000
    assert file["layers.7.weight"].shape == (1,)


def test_importing_the_package_imports_no_framework() -> None:
    program = (
        "import sys, weighbridge, weighbridge.safetensors; print({'numpy', 'torch', 'ml_dtypes'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
