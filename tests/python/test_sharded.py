"""Checkpoints in several files, as transformers writes and reads them."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tensors import assert_same, metadata

from cli import Weighbridge


def write_shards(folder: Path, shards: dict[str, dict[str, torch.Tensor]], index: str) -> Path:
    """Writes each shard by its suffix and the index over them, as save_pretrained does."""
    weight_map = {}
    for file, tensors in shards.items():
        if file.endswith(".safetensors"):
            save_file(tensors, folder / file, metadata={"format": "pt"})
        else:
            torch.save(OrderedDict(tensors), folder / file)
        weight_map.update(dict.fromkeys(tensors, file))
    total = sum(t.numel() * t.element_size() for tensors in shards.values() for t in tensors.values())
    text = json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=2, sort_keys=True)
    (folder / index).write_text(text + "\n")
    return folder / index


BIN = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
OUT = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
INDEX = "model.safetensors.index.json"


def two_shards(folder: Path, first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> Path:
    return write_shards(folder, {BIN[0]: first, BIN[1]: second}, "pytorch_model.bin.index.json")


def read_index(folder: Path) -> dict[str, Any]:
    index = json.loads((folder / INDEX).read_text())
    assert isinstance(index, dict)
    return index


def load_as_transformers(folder: Path) -> dict[str, torch.Tensor]:
    """Every name of the index from the file that it is mapped to."""
    found = {}
    for name, file in read_index(folder)["weight_map"].items():
        with safe_open(folder / file, "pt") as opened:
            found[name] = opened.get_tensor(name)
    return found


def test_shards_become_shards(weighbridge: Weighbridge, tmp_path: Path) -> None:
    first = {"embed.weight": torch.randn(8, 4), "layers.0.weight": torch.randn(4, 4)}
    second = {"layers.1.weight": torch.randn(4, 4), "head.bias": torch.randn(8).bfloat16()}
    index = two_shards(tmp_path, first, second)
    weighbridge.ok("convert", index)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*BIN, index.name, *OUT, INDEX])
    assert_same(first, load_file(tmp_path / OUT[0]))
    assert_same(second, load_file(tmp_path / OUT[1]))
    assert_same(first | second, load_as_transformers(tmp_path))
    assert read_index(tmp_path)["metadata"]["total_size"] == 8 * 4 * 4 + 2 * 4 * 4 * 4 + 8 * 2
    assert metadata(tmp_path / OUT[0]) == {"format": "pt"}


def test_a_folder_is_its_index(weighbridge: Weighbridge, tmp_path: Path) -> None:
    two_shards(tmp_path, {"a": torch.ones(2)}, {"b": torch.zeros(3)})
    weighbridge.ok("convert", tmp_path, "-o", tmp_path / "out.safetensors")
    index = json.loads((tmp_path / "out.safetensors.index.json").read_text())
    assert index["weight_map"] == {"a": "out-00001-of-00002.safetensors", "b": "out-00002-of-00002.safetensors"}


def test_ties_within_a_shard_leave_no_dangling_name(weighbridge: Weighbridge, tmp_path: Path) -> None:
    shared = torch.randn(8, 4)
    two_shards(tmp_path, {"embed": shared, "head": shared}, {"b": torch.zeros(3)})
    weighbridge.ok("convert", tmp_path)
    assert read_index(tmp_path)["weight_map"] == {"b": OUT[1], "embed": OUT[0]}
    assert metadata(tmp_path / OUT[0]) == {"format": "pt", "head": "embed"}
    assert metadata(tmp_path / OUT[1]) == {"format": "pt"}
    assert_same({"embed": shared, "b": torch.zeros(3)}, load_as_transformers(tmp_path))


def test_ties_across_shards_are_reported_and_kept(weighbridge: Weighbridge, tmp_path: Path) -> None:
    shared = torch.randn(64, 64)
    ones = torch.ones(64, 64)
    two_shards(tmp_path, {"embed": shared, "norm.0": ones}, {"head": shared, "other": shared + 1, "norm.1": ones})
    report = weighbridge.json("convert", tmp_path)
    findings = [f for f in report["findings"] if f["code"] == "EqualTensors"]
    assert len(findings) == 1
    assert f"'embed' in '{BIN[0]}', 'head' in '{BIN[1]}'" in findings[0]["message"]
    assert sorted(load_as_transformers(tmp_path)) == ["embed", "head", "norm.0", "norm.1", "other"]


def test_tensors_that_differ_in_one_byte_are_not_equal(weighbridge: Weighbridge, tmp_path: Path) -> None:
    one = torch.randn(1000)
    other = one.clone()
    other[321] += 1
    two_shards(tmp_path, {"a": one}, {"b": other})
    assert [f["code"] for f in weighbridge.json("convert", tmp_path)["findings"]] == []


def test_safetensors_shards_are_read_too(weighbridge: Weighbridge, tmp_path: Path) -> None:
    shards = {OUT[0]: {"a": torch.randn(4)}, OUT[1]: {"b": torch.randn(5)}}
    write_shards(tmp_path, shards, INDEX)
    weighbridge.ok("convert", tmp_path, "-o", tmp_path / "whole.safetensors", "--max-shard-size", "1MB")
    assert_same(shards[OUT[0]] | shards[OUT[1]], load_file(tmp_path / "whole.safetensors"))
    assert not (tmp_path / "whole.safetensors.index.json").exists()
    names = [tensor["name"] for tensor in weighbridge.json("ls", tmp_path / INDEX)["tensors"]]
    assert sorted(names) == ["a", "b"]


def test_resharding_divides_as_transformers_does(weighbridge: Weighbridge, tmp_path: Path) -> None:
    sizes = {"a": 40, "b": 60, "c": 300, "d": 30, "e": 70, "f": 10}
    tensors = {name: torch.full((size,), i, dtype=torch.uint8) for i, (name, size) in enumerate(sizes.items())}
    torch.save(tensors, tmp_path / "model.pt")
    weighbridge.ok("convert", tmp_path / "model.pt", "--max-shard-size", "100")
    files = [f"model-{i:05}-of-00004.safetensors" for i in range(1, 5)]
    # "c" is larger than a shard: it gets one of its own, and does not close the open one.
    assert [sorted(load_file(tmp_path / file)) for file in files] == [["c"], ["a", "b"], ["d", "e"], ["f"]]
    assert_same(tensors, load_as_transformers(tmp_path))
    assert read_index(tmp_path)["metadata"]["total_size"] == sum(sizes.values())


@pytest.mark.parametrize(("text", "shards"), [("1KB", 3), ("1KiB", 2), ("2kb", 1), ("1GB", 1), ("1024", 2)])
def test_sizes_have_units(weighbridge: Weighbridge, tmp_path: Path, text: str, shards: int) -> None:
    torch.save({c: torch.zeros(512 + (c == "a"), dtype=torch.uint8) for c in "abc"}, tmp_path / "m.pt")
    report = weighbridge.json("convert", tmp_path / "m.pt", "--max-shard-size", text)
    assert sum(file["path"].endswith(".safetensors") for file in report["files"]) == shards


def test_what_stands_beside_shards_is_named_after_the_whole(weighbridge: Weighbridge, tmp_path: Path) -> None:
    state = {"model": {"a": torch.ones(4), "b": torch.ones(4)}, "optimizer": {"state": {0: torch.zeros(2)}}}
    torch.save(state, tmp_path / "in.pt")
    options = ["--max-shard-size", "16", "--sidecar", "--optimizer", "separate"]
    weighbridge.ok("convert", tmp_path / "in.pt", "-o", tmp_path / "model.safetensors", *options)
    extra = ["in.pt", INDEX, "model.optimizer.safetensors", "model.safetensors.meta.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*OUT, *extra])
    weighbridge.ok("convert", tmp_path / INDEX, "--to", "pt", "-o", tmp_path / "back.pt")
    back = torch.load(tmp_path / "back.pt", weights_only=True)
    assert list(back) == ["model", "optimizer"]
    assert_same(state["model"], back["model"])
    assert back["optimizer"]["state"][0].tolist() == [0, 0]


def test_shards_become_one_torch_file(weighbridge: Weighbridge, tmp_path: Path) -> None:
    first, second = {"a": torch.randn(3)}, {"b": torch.randn(4)}
    two_shards(tmp_path, first, second)
    weighbridge.ok("convert", tmp_path, "--to", "pt")
    assert_same(first | second, torch.load(tmp_path / "model.pt", weights_only=True))


def test_symbolic_links_of_a_download_cache_are_followed(weighbridge: Weighbridge, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    two_shards(blobs, {"a": torch.ones(2)}, {"b": torch.zeros(3)})
    for path in blobs.iterdir():
        (snapshot / path.name).symlink_to(path)
    weighbridge.ok("convert", snapshot)
    assert sorted(load_as_transformers(snapshot)) == ["a", "b"]


def test_an_existing_shard_is_not_replaced(weighbridge: Weighbridge, tmp_path: Path) -> None:
    two_shards(tmp_path, {"a": torch.ones(2)}, {"b": torch.zeros(3)})
    (tmp_path / OUT[1]).write_text("mine")
    done = weighbridge.run("convert", tmp_path)
    assert done.returncode == 2
    assert OUT[1] in done.stderr
    assert not (tmp_path / OUT[0]).exists()
    assert (tmp_path / OUT[1]).read_text() == "mine"


def edit_index(folder: Path, weight_map: dict[str, Any]) -> None:
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../b", "..", "", "sub/file.bin", "a\\b", "a\0b", "x" * 300])
def test_a_shard_is_a_plain_name(weighbridge: Weighbridge, tmp_path: Path, name: str) -> None:
    edit_index(tmp_path, {"a": name})
    done = weighbridge.run("convert", tmp_path)
    assert done.returncode == 1
    assert "not the plain name" in done.stderr


def test_a_missing_shard_and_a_dangling_name_are_told(weighbridge: Weighbridge, tmp_path: Path) -> None:
    two_shards(tmp_path, {"a": torch.ones(2)}, {"b": torch.zeros(3)})
    edit_index(tmp_path, {"a": BIN[0], "b": "gone.bin"})
    assert "'gone.bin' is not beside" in weighbridge.run("convert", tmp_path).stderr
    edit_index(tmp_path, {"a": BIN[0], "b": BIN[1], "c": BIN[1]})
    assert f"tensor 'c' is not in '{BIN[1]}'" in weighbridge.run("convert", tmp_path).stderr
    edit_index(tmp_path, {"a": BIN[1], "b": BIN[0]})
    assert f"tensor 'a' is not in '{BIN[1]}'" in weighbridge.run("convert", tmp_path).stderr


def test_a_name_in_two_shards_must_mean_the_same(weighbridge: Weighbridge, tmp_path: Path) -> None:
    two_shards(tmp_path, {"a": torch.ones(2), "x": torch.ones(2)}, {"b": torch.zeros(3), "x": torch.ones(2)})
    report = weighbridge.json("convert", tmp_path)
    assert [f["code"] for f in report["findings"]] == ["UnmappedTensors"]
    assert read_index(tmp_path)["weight_map"] == {"a": OUT[0], "b": OUT[1], "x": OUT[1]}
    two_shards(tmp_path, {"a": torch.ones(2), "x": torch.ones(2)}, {"x": torch.zeros(2)})
    done = weighbridge.run("convert", tmp_path / "pytorch_model.bin.index.json", "--force")
    assert done.returncode == 1
    assert "tensor 'x' is in" in done.stderr


def test_an_index_is_no_shard(weighbridge: Weighbridge, tmp_path: Path) -> None:
    edit_index(tmp_path, {"a": "pytorch_model.bin.index.json"})
    assert weighbridge.run("convert", tmp_path).returncode == 1


def test_dry_run_lists_every_file(weighbridge: Weighbridge, tmp_path: Path) -> None:
    two_shards(tmp_path, {"a": torch.ones(2)}, {"b": torch.zeros(3)})
    text = weighbridge.ok("convert", tmp_path, "--dry-run")
    for name in [*OUT, INDEX]:
        assert f"would write {tmp_path / name}" in text
        assert not (tmp_path / name).exists()
