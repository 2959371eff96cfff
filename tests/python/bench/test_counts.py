"""The check of instruction counts, and the checkpoint that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from suite import counts
from suite.model import Case
from suite.pickled import write_checkpoint


def test_more_instructions_than_the_tolerance_are_a_complaint() -> None:
    baseline = {"work": 1_000_000}
    assert counts.complaints({"work": 1_000_000}, baseline) == []
    assert counts.complaints({"work": int(1_000_000 * (1 + counts.TOLERANCE))}, baseline) == []
    assert counts.complaints({"work": 1_100_000}, baseline) == [
        "'work' takes 1100000 instructions, 10.0% more than 1000000"
    ]


def test_fewer_instructions_are_none() -> None:
    assert counts.complaints({"work": 1}, {"work": 1_000_000}) == []


def test_work_that_only_one_side_knows_is_a_complaint() -> None:
    assert counts.complaints({"new": 1}, {"old": 1}) == ["'new' is only on one side", "'old' is only on one side"]


def test_without_a_program_nothing_is_compared_and_that_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert counts.check(Case(Path("files"), native=Path("no_such_program")), update=False) == counts.SKIPPED
    assert "nothing is compared" in capsys.readouterr().out


def test_the_checkpoint_is_one_of_torch(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, 3)
    loaded = torch.load(path, weights_only=True)
    assert list(loaded) == [f"model.layers.{i}.weight" for i in range(3)]
    expected = torch.arange(16, dtype=torch.float32).reshape(4, 4)
    assert all(torch.equal(tensor, expected) for tensor in loaded.values())


def test_the_checkpoint_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_checkpoint(tmp_path / name, 5)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
