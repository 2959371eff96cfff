#!/usr/bin/env python3
"""Converting a large PyTorch checkpoint: weighbridge against torch.load + save_file.

Makes a zip checkpoint, runs the contenders in turn, round after round, compares what they wrote
tensor by tensor, and prints medians, ratios and the peak memory of ours.

    cmake --preset release && cmake --build --preset release && tools/make_venv.sh build/venv
    build/venv/bin/python bench/convert_vs_torch.py
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch
from safetensors import safe_open

ROOT = Path(__file__).resolve().parent.parent
TENSORS = 300
MIB, GIB = 2**20, 2**30

# What people run today, timed from within too, so that Python's start and imports can be told apart.
BASELINE = """
import json, sys, time
import torch
from safetensors.torch import save_file
start = time.perf_counter()
state = torch.load(sys.argv[1], weights_only=True)
save_file(state, sys.argv[2], metadata={"format": "pt"})
print(json.dumps(time.perf_counter() - start))
"""


@dataclass
class Contender:
    """One way to convert: its times, and its memory where that is sampled."""

    name: str
    seconds: list[float] = field(default_factory=list)
    private_bytes: int = 0
    resident_bytes: int = 0


def make_checkpoint(path: Path, total_bytes: int) -> None:
    """About `total_bytes` in tensors of uneven sizes, half of the bytes F16 and half F32."""
    torch.manual_seed(1)
    state: dict[str, torch.Tensor] = {}
    for i in range(TENSORS):
        dtype = torch.float16 if i % 2 else torch.float32
        share = total_bytes * (1 + i % 5) // (3 * TENSORS)
        state[f"layers.{i}.weight"] = torch.randn(share // dtype.itemsize // 64, 64).to(dtype)
    torch.save(state, path)


def sample_memory(process: subprocess.Popen[str], contender: Contender) -> None:
    """Follows the peak of the process's private and of its resident memory until it ends."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            fields = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        except OSError:
            break
        if "RssAnon" in fields:
            private, peak = (int(fields[key].split()[0]) * 1024 for key in ("RssAnon", "VmHWM"))
            contender.private_bytes = max(contender.private_bytes, private)
            contender.resident_bytes = max(contender.resident_bytes, peak)
        time.sleep(0.002)


def timed(contender: Contender, command: list[str], output: Path) -> str:
    """Runs the command once on a clean slate and returns what it printed."""
    output.unlink(missing_ok=True)
    os.sync()
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        sample_memory(process, contender)
        printed = process.communicate()[0]
    contender.seconds.append(time.perf_counter() - start)
    if process.returncode:
        sys.exit(f"{contender.name}: exit code {process.returncode}")
    return printed


def compare(expected: Path, actual: Path) -> None:
    """Ends the run unless both files hold the same tensors, bit by bit."""
    with safe_open(expected, "pt") as left, safe_open(actual, "pt") as right:
        if sorted(left.keys()) != sorted(right.keys()):
            sys.exit("the outputs hold different tensors")
        for name in left.keys():  # noqa: SIM118  # no mapping
            a, b = left.get_tensor(name), right.get_tensor(name)
            same = a.dtype == b.dtype and a.shape == b.shape
            if not same or not torch.equal(a.view(torch.uint8), b.view(torch.uint8)):
                sys.exit(f"the outputs differ in {name}")


def report(contenders: list[Contender], reference: list[Contender], size: int) -> None:
    """A table of medians, each with its ratio to the references."""
    print(f"\n{'':34}{'median s':>9}{'GiB/s':>8}" + "".join(f"{'x ' + r.name:>24}" for r in reference))
    for contender in contenders:
        middle = median(contender.seconds)
        ratios = "".join(f"{median(r.seconds) / middle:24.2f}" for r in reference)
        print(f"{contender.name:34}{middle:9.3f}{size / GIB / middle:8.2f}{ratios}")
    print()
    for contender in contenders:
        if contender.private_bytes:
            private, resident = contender.private_bytes / MIB, contender.resident_bytes / MIB
            print(f"{contender.name:34} peak {private:.1f} MiB private, {resident:.1f} MiB resident with mapped files")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weighbridge", type=Path, default=ROOT / "build/release/weighbridge")
    parser.add_argument("--folder", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--gib", type=float, default=2.0, help="size of the checkpoint (default 2)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    source, theirs, ours = (options.folder / name for name in ("model.pt", "torch.safetensors", "ours.safetensors"))
    make_checkpoint(source, int(options.gib * GIB))
    size = source.stat().st_size
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    print(f"{source.name}: {size} bytes, {TENSORS} tensors, {options.rounds} rounds")

    command, inside = Contender("torch command"), Contender("torch without imports")
    verified, plain = Contender("weighbridge convert"), Contender("weighbridge convert --no-verify")
    convert = [str(options.weighbridge), "convert", str(source), "-o", str(ours), "--force"]

    def run_torch() -> None:
        printed = timed(command, [sys.executable, "-c", BASELINE, str(source), str(theirs)], theirs)
        inside.seconds.append(json.loads(printed))

    turns: list[Callable[[], object]] = [
        run_torch,
        lambda: timed(verified, convert, ours),
        lambda: timed(plain, [*convert, "--no-verify"], ours),
    ]
    for round_number in range(options.rounds):
        for turn in turns[round_number % 3 :] + turns[: round_number % 3]:  # nobody is always first
            turn()
        compare(theirs, ours)
    command.private_bytes = 0  # only ours is of interest
    report([command, inside, verified, plain], [command, inside], size)
    for file in (source, theirs, ours):
        file.unlink()


if __name__ == "__main__":
    main()
