#!/usr/bin/env python3
"""The weights of a large ONNX model as safetensors: weighbridge against onnx, numpy and save_file.

Makes a model with its data inside and one with it outside, runs the contenders in turn, round after round,
compares what they wrote tensor by tensor, and prints medians, ratios and peak memory.

    cmake --preset release && cmake --build --preset release && tools/make_venv.sh build/venv
    build/venv/bin/python bench/onnx_vs_usual.py
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors import safe_open

ROOT = Path(__file__).resolve().parent.parent
TENSORS = 100
MIB, GIB = 2**20, 2**30

# What people run today, timed from within too, so that Python's start and imports can be told apart.
USUAL = """
import json, sys, time
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file
start = time.perf_counter()
model = onnx.load(sys.argv[1])
save_file({t.name: numpy_helper.to_array(t) for t in model.graph.initializer}, sys.argv[2])
print(json.dumps(time.perf_counter() - start))
"""


@dataclass
class Contender:
    """One way to do it, its times and its memory."""

    name: str
    command: list[str]
    seconds: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    private_bytes: int = 0
    resident_bytes: int = 0


def make_models(folder: Path, total_bytes: int) -> tuple[Path, Path]:
    """The same model twice: its data in the file, and in another one beside it."""
    generator = np.random.default_rng(1)
    tensors = []
    for i in range(TENSORS):
        dtype, kind = ((np.float16, TensorProto.FLOAT16), (np.float32, TensorProto.FLOAT))[i % 2]
        count = total_bytes * (1 + i % 5) // (3 * TENSORS) // np.dtype(dtype).itemsize // 64
        values = generator.random((count, 64), np.float32).astype(dtype)
        tensors.append(
            TensorProto(name=f"layers.{i}.weight", data_type=kind, dims=values.shape, raw_data=values.tobytes())
        )
    model = helper.make_model(helper.make_graph([], "g", [], [], tensors))
    inside, outside = folder / "inside.onnx", folder / "outside.onnx"
    inside.write_bytes(model.SerializeToString())
    onnx.save_model(model, outside, save_as_external_data=True, location="outside.data", convert_attribute=False)
    return inside, outside


def follow_memory(process: subprocess.Popen[str], contender: Contender) -> None:
    """Follows the private memory of the process until it ends."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            fields = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        except OSError:
            break
        if "RssAnon" in fields:
            contender.private_bytes = max(contender.private_bytes, int(fields["RssAnon"].split()[0]) * 1024)
        time.sleep(0.002)


def run(contender: Contender, output: Path) -> None:
    """Runs the command once on a clean slate."""
    output.unlink(missing_ok=True)
    os.sync()
    start = time.perf_counter()
    with subprocess.Popen(contender.command, stdout=subprocess.PIPE, text=True) as process:
        follow_memory(process, contender)
        printed = process.communicate()[0]
    contender.seconds.append(time.perf_counter() - start)
    if process.returncode:
        sys.exit(f"{contender.name}: exit code {process.returncode}")
    if printed.strip().replace(".", "").isdigit():
        contender.inside.append(json.loads(printed))


def compare(expected: Path, actual: Path) -> None:
    """Ends the run unless both files hold the same tensors, bit by bit."""
    with safe_open(expected, "np") as left, safe_open(actual, "np") as right:
        if sorted(left.keys()) != sorted(right.keys()):
            sys.exit("the outputs hold different tensors")
        for name in left.keys():  # noqa: SIM118  # no mapping
            a, b = left.get_tensor(name), right.get_tensor(name)
            if a.dtype != b.dtype or a.shape != b.shape or a.tobytes() != b.tobytes():
                sys.exit(f"the outputs differ in {name}")


def report(contenders: list[Contender], usual: Contender, size: int) -> None:
    """A table of medians, each with its ratios to the usual way."""
    print(f"\n{'':34}{'median s':>9}{'GiB/s':>8}{'x usual':>9}{'x usual, no imports':>21}{'private MiB':>13}")
    for contender in contenders:
        middle = median(contender.seconds)
        ratios = f"{median(usual.seconds) / middle:9.2f}{median(usual.inside) / middle:21.2f}"
        memory = f"{contender.private_bytes / MIB:13.1f}"
        print(f"{contender.name:34}{middle:9.3f}{size / GIB / middle:8.2f}{ratios}{memory}")


def measure(source: Path, options: argparse.Namespace) -> None:
    """All contenders over one model."""
    theirs, ours = options.folder / "usual.safetensors", options.folder / "ours.safetensors"
    usual = Contender("onnx + numpy + save_file", [sys.executable, "-c", USUAL, str(source), str(theirs)])
    convert = [str(options.weighbridge), "convert", str(source), "-o", str(ours), "--force", "--quiet"]
    verified = Contender("weighbridge convert", convert)
    plain = Contender("weighbridge convert --no-verify", [*convert, "--no-verify"])
    turns = [(usual, theirs), (verified, ours), (plain, ours)]
    for number in range(options.rounds):
        for contender, output in turns[number % 3 :] + turns[: number % 3]:  # nobody is always first
            run(contender, output)
        compare(theirs, ours)
    print(f"\n{source.name}, {options.rounds} rounds")
    report([usual, verified, plain], usual, theirs.stat().st_size)
    theirs.unlink()
    ours.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weighbridge", type=Path, default=ROOT / "build/release/weighbridge")
    parser.add_argument("--folder", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--gib", type=float, default=1.0, help="size of the data (default 1)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    inside, outside = make_models(options.folder, int(options.gib * GIB))
    print(f"{platform.machine()}, {os.cpu_count()} cores, onnx {onnx.__version__}, numpy {np.__version__}")
    for source in (inside, outside):
        measure(source, options)
    for file in (inside, outside, outside.with_suffix(".data")):
        file.unlink()


if __name__ == "__main__":
    main()
