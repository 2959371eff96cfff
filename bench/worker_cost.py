#!/usr/bin/env python3
"""What the worker costs: the same small file, with the sandbox and without, in turn.

    cmake --preset release && cmake --build --preset release
    bench/worker_cost.py [--program build/release/weighbridge] [--rounds 200] [FILE]

Without FILE a safetensors file of one tensor is made. Every round runs both ways once, in an order
that alternates; printed are medians and 90th percentiles of the time from start to exit, their
ratio, and the difference, which is what the worker costs a run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import struct
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
WAYS = {"worker": ["--sandbox", "best"], "no worker": ["--no-sandbox"]}


def make_file(path: Path) -> None:
    """A safetensors file of one small tensor."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))


def run_once(command: list[str], quiet: int) -> float:
    """Milliseconds from start to exit; the cheapest way there is to start a program."""
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 1)])
    _, status = os.waitpid(child, 0)
    elapsed = (time.perf_counter() - start) * 1000
    if status != 0:
        sys.exit(f"{' '.join(command)} failed with status {os.waitstatus_to_exitcode(status)}")
    return elapsed


def measure(program: Path, file: Path, rounds: int) -> dict[str, list[float]]:
    """The times of both ways, taken in turn so that both see the same machine."""
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    with Path(os.devnull).open("wb") as null:
        for i in range(rounds + 1):
            order = list(WAYS) if i % 2 == 0 else list(reversed(WAYS))
            for way in order:
                elapsed = run_once([str(program), "ls", str(file), *WAYS[way]], null.fileno())
                if i > 0:  # the first round only fills the caches
                    times[way].append(elapsed)
    return times


def report(times: dict[str, list[float]]) -> None:
    print(f"{platform.machine()}, Linux {platform.release()}, {os.cpu_count()} processors")
    for way, values in times.items():
        print(f"{way:>10}: median {median(values):6.2f} ms, 90 % within {quantiles(values, n=10)[-1]:6.2f} ms")
    worker, without = median(times["worker"]), median(times["no worker"])
    print(f"     ratio: {worker / without:.2f}")
    print(f"difference: {worker - without:.2f} ms a run")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "weighbridge")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("file", nargs="?", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.file or Path(folder) / "one.safetensors"
        if arguments.file is None:
            make_file(file)
        report(measure(arguments.program.resolve(), file, arguments.rounds))


if __name__ == "__main__":
    main()
