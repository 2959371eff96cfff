#!/usr/bin/env python3
"""The Python package against the safetensors wheel: what each workload costs, side by side.

Every measurement is a process of its own, forked from one that has imported both; it does the work
once to warm up and once on the clock. The peers take turns in an order that is drawn anew in every
round. Before the clock runs the results of both are compared. Prints a table in Markdown: medians
with their 95 % confidence intervals, and the ratio of the medians with its own, from a bootstrap.

    pip install . safetensors==0.8.0 torch numpy ml_dtypes
    python bench/python_vs_wheel.py
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import python_workloads
from python_workloads import Workload

BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Estimate:
    """A value and the interval that holds it with a confidence of 95 %."""

    value: float
    low: float
    high: float


def in_child(work: Callable[[], Any]) -> Any:
    """Runs `work` in a fork of this process and gives what it returns, by way of JSON."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        answer = json.dumps(work()).encode()
        os.write(writer, answer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status or not answer:
        sys.exit(f"a measurement ended with status {status}")
    return json.loads(answer)


def seconds_of(work: Callable[[], object]) -> float:
    """What the second call of `work` takes; what it returns is dropped off the clock."""
    dropped = work()
    del dropped
    gc.collect()
    gc.disable()  # neither peer pays for the other objects of this process
    start = time.perf_counter()
    result = work()
    elapsed = time.perf_counter() - start
    del result
    return elapsed


def interval(samples: list[float]) -> tuple[float, float]:
    """The middle 95 % of bootstrapped statistics."""
    ordered = sorted(samples)
    cut = len(ordered) * 25 // 1000
    return ordered[cut], ordered[-1 - cut]


def estimate(times: list[float], chance: random.Random) -> Estimate:
    """The median of times."""
    draws = [median(chance.choices(times, k=len(times))) for _ in range(BOOTSTRAPS)]
    return Estimate(median(times), *interval(draws))


def estimate_ratio(theirs: list[float], ours: list[float], chance: random.Random) -> Estimate:
    """How many times as long theirs takes."""
    draws = [
        median(chance.choices(theirs, k=len(theirs))) / median(chance.choices(ours, k=len(ours)))
        for _ in range(BOOTSTRAPS)
    ]
    return Estimate(median(theirs) / median(ours), *interval(draws))


def measure(workload: Workload, rounds: int, chance: random.Random) -> tuple[list[float], list[float]]:
    """Seconds of the wheel and of ours, round by round."""
    peers = {"theirs": workload.theirs, "ours": workload.ours}
    times: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name in chance.sample(sorted(peers), k=len(peers)):
            times[name].append(in_child(lambda work=peers[name]: seconds_of(work)))
    return times["theirs"], times["ours"]


def digits(number: float) -> str:
    """Three of them that count."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def time_text(seconds: Estimate) -> str:
    """Median and interval in one unit."""
    unit, scale = ("s", 1.0) if seconds.value >= 1 else ("ms", 1e3) if seconds.value >= 1e-3 else ("us", 1e6)
    value, low, high = (number * scale for number in (seconds.value, seconds.low, seconds.high))
    return f"{digits(value)} {unit} ({digits(low)} - {digits(high)})"


def ratio_text(ratio: Estimate) -> str:
    return f"**{digits(ratio.value)}x** ({digits(ratio.low)} - {digits(ratio.high)})"


def print_machine() -> None:
    """What the figures belong to."""
    processor = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in processor if "model name" in line), platform.machine())
    print(f"{model}, {os.cpu_count()} cores; Linux {platform.release()}; Python {platform.python_version()};", end=" ")
    print(", ".join(python_workloads.versions()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("build/bench"), help="on the disk to be measured")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes; less is a trial run")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(1)
    print_machine()
    print(f"\nMedians of {options.rounds} rounds, with 95 % confidence intervals.\n")
    print("| workload | safetensors wheel | Weighbridge | ratio |\n|---|---|---|---|")
    for workload in python_workloads.workloads(options.folder, options.scale):
        if options.only not in workload.name:
            continue
        workload.prepare()
        if not in_child(workload.same):
            sys.exit(f"{workload.name}: the results differ")
        theirs, ours = measure(workload, options.rounds, chance)
        cells = (time_text(estimate(theirs, chance)), time_text(estimate(ours, chance)))
        print(f"| {workload.name} | {cells[0]} | {cells[1]} | {ratio_text(estimate_ratio(theirs, ours, chance))} |")
        sys.stdout.flush()
    for file in options.folder.glob("*.safetensors"):
        file.unlink()


if __name__ == "__main__":
    main()
