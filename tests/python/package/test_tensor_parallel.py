"""The example of tensor parallelism, and a small run of its benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def run(*command: object) -> str:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("ranks", [1, 3])
def test_ranks_load_their_slices_and_compute_as_one(tmp_path: Path, ranks: int) -> None:
    script = ROOT / "examples/tensor_parallel/run.py"
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", ranks)
    told = run(*launcher, script, tmp_path / "model.safetensors.index.json", "--make", 2, 48)
    assert told.count(f" of {ranks}: 6 slices, ") == ranks
    assert f"{ranks} ranks together give what one gives" in told


def test_the_benchmark_compares_and_measures(tmp_path: Path) -> None:
    script = ROOT / "bench/many_ranks.py"
    told = run(script, "--ranks", 1, 2, "--blocks", 2, "--width", 64, "--rounds", 1, "--folder", tmp_path)
    rows = [line for line in told.splitlines() if line.startswith(("| 1 |", "| 2 |"))]
    assert len(rows) == 8
    # The least and the most milliseconds of each, and beside all but ours the interval of the ratio.
    assert all(row.count(" (") == (1 if "weighbridge" in row else 2) for row in rows)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2
