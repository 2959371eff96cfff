"""merge, split and diff across formats, and the rules for names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tensors import bits

from cli import Weighbridge


def diff(weighbridge: Weighbridge, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    done = weighbridge.run("diff", *arguments, "--json")
    return done.returncode, json.loads(done.stdout)


def test_merge_of_three_formats(weighbridge: Weighbridge, tmp_path: Path) -> None:
    first, second, third = tmp_path / "a.pt", tmp_path / "b.npz", tmp_path / "c.safetensors"
    weight = torch.randn(3, 4)
    torch.save({"w": weight, "tied": weight}, first)
    np.savez(second, w=np.arange(5.0))
    save_file({"v": torch.ones(2)}, third)
    output = tmp_path / "all.safetensors"
    refused = weighbridge.run("merge", first, second, "-o", output)
    assert (refused.returncode, output.exists()) == (1, False)
    assert f"'w' is a tensor of '{first}' and of '{second}'" in refused.stderr
    prefixes = ["--prefix", "-", "--prefix", "np."]
    report = weighbridge.json("merge", first, second, third, "-o", output, *prefixes)
    assert report["totals"]["tensors"] == 3
    found = load_file(output)
    assert sorted(found) == ["np.w", "tied", "v"]
    assert bits(found["tied"]) == bits(weight)
    assert found["np.w"].tolist() == [0, 1, 2, 3, 4]
    again = weighbridge.run("merge", first, third, "-o", output)
    assert (again.returncode, "--force replaces it" in again.stderr) == (2, True)


def test_split_by_prefix_and_merged_again(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "pipe.safetensors"
    tensors = {"unet.a.w": torch.randn(3), "unet.b.w": torch.randn(2), "vae.w": torch.randn(4), "scale": torch.ones(1)}
    save_file(tensors, source)
    report = weighbridge.json(
        "split", source, "-o", tmp_path / "part.npz", "--by-prefix", "1", "--strip", "--to", "npz"
    )
    names = [Path(file["path"]).name for file in report["files"]]
    assert sorted(names) == ["part.rest.npz", "part.unet.npz", "part.vae.npz"]
    with np.load(tmp_path / "part.unet.npz") as unet:
        assert sorted(unet.files) == ["a.w", "b.w"]
    parts = [tmp_path / f"part.{name}.npz" for name in ("unet", "vae", "rest")]
    output = tmp_path / "again.safetensors"
    weighbridge.ok("merge", *parts, "-o", output, "--prefix", "unet.", "--prefix", "vae.")
    assert diff(weighbridge, source, output)[0] == 0


def test_split_by_size(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "in.pt"
    torch.save({f"w{i}": torch.randn(1000) for i in range(5)}, source)
    report = weighbridge.json("split", source, "-o", tmp_path / "out.safetensors", "--max-size", "9000")
    assert [Path(file["path"]).name for file in report["files"]] == [
        "out-00001-of-00003.safetensors",
        "out-00002-of-00003.safetensors",
        "out-00003-of-00003.safetensors",
        "out.safetensors.index.json",
    ]
    assert diff(weighbridge, source, tmp_path / "out.safetensors.index.json")[0] == 0


def test_split_needs_to_know_by_what(weighbridge: Weighbridge, tmp_path: Path) -> None:
    save_file({"w": torch.ones(1)}, tmp_path / "in.safetensors")
    refused = weighbridge.run("split", tmp_path / "in.safetensors", "-o", tmp_path / "out.safetensors")
    assert (refused.returncode, "--by-prefix or --max-size" in refused.stderr) == (2, True)


def test_diff_measures_what_rounding_cost(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source, rounded = tmp_path / "in.pt", tmp_path / "bf16.npz"
    weight = torch.rand(300, 200) + 0.5  # not 0, which is no measure of a difference
    torch.save({"w": weight, "n": torch.arange(5)}, source)
    weighbridge.ok("convert", source, "-o", rounded, "--to", "npz", "--dtype", "bf16")
    status, report = diff(weighbridge, source, rounded)
    assert (status, report["same"]) == (1, False)
    found = {tensor["name"]: tensor for tensor in report["tensors"]}
    assert found["n"]["kind"] == "identical"
    values = found["w"]["values"]
    wide, narrow = weight.double(), weight.bfloat16().double()
    assert values["different"] == int((wide != narrow).sum())
    assert values["max_abs"] == float((wide - narrow).abs().max())
    assert values["max_rel"] == pytest.approx(
        float(((wide - narrow).abs() / torch.maximum(wide.abs(), narrow.abs())).max())
    )
    assert values["cosine"] == pytest.approx(float((wide * narrow).sum() / (wide.norm() * narrow.norm())), rel=1e-12)
    assert diff(weighbridge, source, rounded, "--rtol", "0.004", "--ignore-dtype")[0] == 0


def test_diff_of_names_reads_no_tensor(weighbridge: Weighbridge, tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({"w": torch.ones(2), "only": torch.ones(1)}, first)
    save_file({"w": torch.zeros(2), "other": torch.ones(1)}, second)
    status, report = diff(weighbridge, first, second, "--names-only")
    assert status == 1
    assert {tensor["name"]: tensor["kind"] for tensor in report["tensors"]} == {
        "w": "identical",
        "only": "only_left",
        "other": "only_right",
    }
    text = weighbridge.run("diff", first, second)
    assert "values     w  F32 [2]: 2 of 2 numbers different, by 1 at most, relatively 1" in text.stdout
    assert "3 tensors, 1 values, 1 only in A, 1 only in B" in text.stdout


def test_diff_names_the_file_that_cannot_be_read(weighbridge: Weighbridge, tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.npz"
    save_file({"w": torch.ones(2)}, first)
    second.write_bytes(b"no archive at all, and no other format")
    done = weighbridge.run("diff", first, second)
    assert done.returncode == 1
    assert f"{second}: " in done.stderr


def test_rules_for_names(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "in.pt"
    names = ["module.layers.0.gamma", "module.layers.0.beta", "module.head"]
    torch.save({name: torch.ones(i + 1) for i, name in enumerate(names)}, source)
    options = ["--strip-prefix", "module.", "--rename", r"layers\.(\d+)=>blocks.\1", "--rename", "gamma$=>weight"]
    found = load_file(weighbridge.convert(source, *options, "--drop", "*.head"))
    assert sorted(found) == ["blocks.0.beta", "blocks.0.weight"]
    refused = weighbridge.run("convert", source, "-o", tmp_path / "x.safetensors", "--rename", "gamma|beta=>same")
    assert "would both be named 'module.layers.0.same'" in refused.stderr
    wrong = weighbridge.run("convert", source, "--rename", "no arrow")
    assert wrong.returncode == 2
    refused = weighbridge.run("convert", source, "-o", tmp_path / "x.safetensors", "--select", "*.head", "--sidecar")
    assert (refused.returncode, (tmp_path / "x.safetensors").exists()) == (2, False)


def test_passes_on_the_way_to_torch(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source, output = tmp_path / "in.pt", tmp_path / "out.pt"
    weight = torch.randn(3, 4)
    torch.save({"model": {"w": weight, "n": torch.arange(3)}, "epoch": 3}, source)
    weighbridge.ok("convert", source, "-o", output, "--to", "pt", "--dtype", "bf16")
    found = torch.load(output, weights_only=True)
    assert found["epoch"] == 3
    assert bits(found["model"]["w"]) == bits(weight.bfloat16())
    weighbridge.ok("convert", source, "-o", output, "--to", "pt", "--select", "w", "--force")
    assert sorted(torch.load(output, weights_only=True)) == ["w"]
