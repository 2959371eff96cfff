#!/usr/bin/env python3
"""Converting a large Keras file: weighbridge against h5py and save_file.

Makes a file of weights, runs the contenders in turn, round after round, compares what they wrote byte by byte, and
prints medians, their ratio and the peak memory of each (of all its processes: the program has two).

    cmake --preset release && cmake --build --preset release
    python3 bench/keras_vs_usual.py            # needs h5py and safetensors
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import h5py
import numpy as np
from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parent.parent
MIB, GIB = 2**20, 2**30
TENSORS = 200

# What people write today.
USUAL = """
import sys
import h5py
from safetensors.numpy import save_file
tensors = {}
def take(name, item):
    if isinstance(item, h5py.Dataset):
        tensors[name] = item[()]
with h5py.File(sys.argv[1]) as file:
    file.visititems(take)
save_file(tensors, sys.argv[2])
"""


def make_file(path: Path, total: int, compression: str | None) -> None:
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        for i in range(TENSORS):
            values = rng.standard_normal((total // TENSORS // 256, 64), np.float32)
            file.create_dataset(
                f"layers/dense_{i}/vars/0", data=values, compression=compression, shuffle=bool(compression)
            )


def children(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(number) for number in text.split()]


def private_bytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def run(command: list[str]) -> tuple[float, int]:
    """Seconds, and the peak of what all processes together held for themselves."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(private_bytes(number) for number in [process.pid, *children(process.pid)]))
        time.sleep(0.002)
    if process.returncode:
        sys.exit(f"{command[0]} failed")
    return time.perf_counter() - start, peak


def equal(one: Path, other: Path) -> bool:
    left, right = load_file(one), load_file(other)
    return left.keys() == right.keys() and all(left[name].tobytes() == right[name].tobytes() for name in left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weighbridge", default=str(ROOT / "build/release/weighbridge"))
    parser.add_argument("--folder", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compression", choices=["gzip", "lzf"], help="Chunks instead of stretches")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    source, ours, usual = (
        arguments.folder / name for name in ("bench.weights.h5", "ours.safetensors", "usual.safetensors")
    )
    make_file(source, int(arguments.gib * GIB), arguments.compression)
    commands = {
        "weighbridge": [arguments.weighbridge, "convert", str(source), "-o", str(ours), "--force", "--quiet"],
        "weighbridge --no-verify": [
            arguments.weighbridge,
            "convert",
            str(source),
            "-o",
            str(ours),
            "--force",
            "--quiet",
            "--no-verify",
        ],
        "h5py + save_file": [sys.executable, "-c", USUAL, str(source), str(usual)],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    peaks = dict.fromkeys(commands, 0)
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            for output in (ours, usual):
                if str(output) in command:
                    output.unlink(missing_ok=True)
            taken, peak = run(command)
            seconds[name].append(taken)
            peaks[name] = max(peaks[name], peak)
    if not equal(ours, usual):
        sys.exit("the outputs differ")
    baseline = median(seconds["h5py + save_file"])
    print(
        f"{source.stat().st_size / MIB:.0f} MiB, {TENSORS} datasets, {os.cpu_count()} cores, {arguments.rounds} rounds"
    )
    for name, taken in seconds.items():
        middle = median(taken)
        print(f"{name:<26}{middle:7.2f} s  {baseline / middle:5.2f} x  {peaks[name] / MIB:7.0f} MiB of its own")
    for path in (source, ours, usual):
        path.unlink()


if __name__ == "__main__":
    main()
