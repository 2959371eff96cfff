"""Distributed checkpoints that real torch writes with two processes, against what it reads back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensors import assert_same

from cli import Weighbridge

WRITER = Path(__file__).with_name("write_distributed.py")


def loaded(folder: Path, like: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What torch itself makes of the folder, in one process."""
    import torch.distributed.checkpoint as dcp

    tensors = {name: torch.zeros_like(tensor) for name, tensor in like.items()}
    state: dict[str, object] = {}
    for name, tensor in tensors.items():
        state[name] = tensor
    dcp.load(state, checkpoint_id=folder)
    return tensors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two processes save shards of rows and columns, a replicated tensor, a plain one and objects."""
    base = tmp_path_factory.mktemp("distributed")
    workers = [subprocess.Popen([sys.executable, str(WRITER), str(base), str(rank), "2"]) for rank in range(2)]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    return base / "saved"


def test_pieces_of_two_processes_are_joined(weighbridge: Weighbridge, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.safetensors"
    weighbridge.ok("convert", folder / ".metadata", "-o", output)
    converted = load_file(output)
    assert set(converted) == {"model.rows", "model.columns", "model.same", "model.plain", "random"}
    assert len(list(folder.glob("*.distcp"))) == 2
    assert_same(loaded(folder, converted), converted)
    assert converted["model.rows"].shape == (7, 5)
    assert torch.equal(converted["model.rows"], torch.arange(35.0).view(7, 5))


def test_objects_are_kept_beside(weighbridge: Weighbridge, folder: Path, tmp_path: Path) -> None:
    report = weighbridge.json("convert", folder / ".metadata", "-o", tmp_path / "out", "--sidecar")
    paths = {item["path"] for item in report["not_tensors"]["items"]}
    assert paths == {"step", "config.name"}
    sidecar = (tmp_path / "out.meta.json").read_text()
    assert '"step":{"version":1,"tree":5}' in sidecar


def test_a_missing_file_is_named(weighbridge: Weighbridge, folder: Path, tmp_path: Path) -> None:
    (tmp_path / ".metadata").write_bytes((folder / ".metadata").read_bytes())
    done = weighbridge.run("convert", tmp_path / ".metadata", "-o", tmp_path / "out")
    assert done.returncode == 3
    assert "which is missing" in done.stderr
    assert not (tmp_path / "out").exists()
