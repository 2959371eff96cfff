"""The whole suite as it is run, at a thousandth of its size: every row, every peer, tables and charts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from suite.rows import ROWS

ROOT = Path(__file__).resolve().parents[3]
# The reference's crate is built by hand where there is a cargo.
NOT_IN_THE_TESTS = {"safetensors crate"}
FOR_A_DEVICE = set() if torch.cuda.is_available() else {"G1"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a run has left."""
    out = tmp_path_factory.mktemp("out")
    command = [
        *(sys.executable, str(ROOT / "tools" / "bench"), "--scale", "0.001", "--rounds", "1", "--seed", "1"),
        *("--out", str(out), "--folder", f"{os.environ['WEIGHBRIDGE_BENCH_FOLDER']}/files"),
        *("--release", os.environ["WEIGHBRIDGE_BUILD"], "--upstream", str(out / "not built")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def rows(run: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((run / "result.json").read_text(encoding="utf-8"))["rows"]
    return found


def test_every_row_was_run(rows: list[dict[str, Any]]) -> None:
    assert [row["id"] for row in rows] == [row.id for row in ROWS]


def test_every_contender_was_measured(rows: list[dict[str, Any]]) -> None:
    others = {
        f"{row['id']}: {contender['name']} {contender['status']}: {contender['reason']}"
        for row in rows
        for contender in row["contenders"]
        if row["id"] not in FOR_A_DEVICE
        and contender["status"] != "measured"
        and contender["name"] not in NOT_IN_THE_TESTS
    }
    assert others == set()


def test_without_a_device_its_row_says_so(rows: list[dict[str, Any]]) -> None:
    told = {
        (contender["status"], contender["reason"])
        for row in rows
        if row["id"] in FOR_A_DEVICE
        for contender in row["contenders"]
    }
    assert told <= {("missing", "there is no CUDA device")}


def test_all_gave_the_same(rows: list[dict[str, Any]]) -> None:
    assert [row["id"] for row in rows if not row["same_outputs"]] == []


def test_outputs_were_compared_in_every_row(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        compared = [c["name"] for c in row["contenders"] if c["digest"] is not None]
        assert compared or row["id"] in FOR_A_DEVICE, row["id"]


def test_tables_and_charts_are_there(run: Path) -> None:
    text = (run / "report.md").read_text(encoding="utf-8")
    assert all(f"| {row.id} |" in text for row in ROWS)
    assert {path.name for path in run.glob("*.svg")} == {"memory.svg", "ratios.svg", "times.svg"}


def test_nothing_is_left_of_the_inputs(run: Path) -> None:
    assert not Path(f"{os.environ['WEIGHBRIDGE_BENCH_FOLDER']}/files").exists()
