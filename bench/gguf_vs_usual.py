#!/usr/bin/env python3
"""Dequantising a GGUF model into safetensors: weighbridge against the gguf package and save_file.

Makes a model of random blocks of each type for each type, runs both in turn, round after round, compares
their outputs byte by byte, and prints medians, ratios and the peak of resident memory, mapped files included.

    cmake --preset release && cmake --build --preset release && tools/make_venv.sh build/venv
    build/venv/bin/python bench/gguf_vs_usual.py --gib 1
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import gguf
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from safetensors import safe_open

ROOT = Path(__file__).resolve().parent.parent
TENSORS = 16
COLUMNS = 4096
MIB, GIB = 2**20, 2**30
TYPES = ["Q4_K", "Q6_K", "Q8_0", "IQ3_S"]

USUAL = """
import sys
import numpy as np
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file
read = GGUFReader(sys.argv[1]).tensors
tensors = {t.name: dequantize(t.data, t.tensor_type).astype(sys.argv[3], copy=False) for t in read}
save_file(tensors, sys.argv[2])
"""


@dataclass
class Contender:
    name: str
    seconds: list[float] = field(default_factory=list)
    peak_bytes: int = 0


def make_model(path: Path, kind: GGMLQuantizationType, output_bytes: int) -> None:
    """Random blocks with scales that are usual numbers, of about `output_bytes` once they are F16."""
    elements, size = GGML_QUANT_SIZES[kind]
    rows = output_bytes // 2 // TENSORS // COLUMNS
    rng = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "bench")
    for i in range(TENSORS):
        blocks = rng.integers(0, 256, (rows, COLUMNS // elements * size), dtype=np.uint8)
        writer.add_tensor(f"blk.{i}.weight", blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def run(contender: Contender, command: list[str], output: Path) -> None:
    """Once, on a clean slate; the memory is the largest of the command's processes."""
    output.unlink(missing_ok=True)
    os.sync()
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    contender.seconds.append(time.perf_counter() - start)
    contender.peak_bytes = max(contender.peak_bytes, usage.ru_maxrss * 1024)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{contender.name}: exit code {os.waitstatus_to_exitcode(status)}")


def compare(expected: Path, actual: Path) -> None:
    """Ends the run unless both files hold the same tensors, but for which NaN a NaN is."""
    with safe_open(expected, "np") as left, safe_open(actual, "np") as right:
        for name in left.keys():  # noqa: SIM118  # no mapping
            if not np.array_equal(left.get_tensor(name), right.get_tensor(name), equal_nan=True):
                sys.exit(f"the outputs differ in {name}")


def measure(kind: str, options: argparse.Namespace) -> None:
    source, theirs, ours = (options.folder / name for name in ("model.gguf", "usual.safetensors", "ours.safetensors"))
    make_model(source, GGMLQuantizationType[kind], int(options.gib * GIB))
    usual, verified, plain = (
        Contender(name) for name in ("gguf + save_file", "weighbridge", "weighbridge --no-verify")
    )
    convert = [str(options.weighbridge), "convert", str(source), "-o", str(ours), "--dequantize", "f16"]
    script = [sys.executable, "-c", USUAL, str(source), str(theirs), "float16"]
    turns = [(usual, script, theirs), (verified, convert, ours), (plain, [*convert, "--no-verify"], ours)]
    for round_number in range(options.rounds):
        for turn in turns[round_number % 3 :] + turns[: round_number % 3]:  # nobody is always first
            run(*turn)
    compare(theirs, ours)
    for contender in (usual, verified, plain):
        middle = median(contender.seconds)
        ratio = median(usual.seconds) / middle
        print(
            f"{kind:8}{contender.name:26}{middle:9.2f} s{ratio:8.1f} x{contender.peak_bytes / MIB:10.0f} MiB",
            flush=True,
        )
    for file in (source, theirs, ours):
        file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weighbridge", type=Path, default=ROOT / "build/release/weighbridge")
    parser.add_argument("--folder", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--gib", type=float, default=1.0, help="size of the output (default 1)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--types", nargs="+", default=TYPES)
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"{platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}")
    print(f"{options.gib:g} GiB of F16 in {TENSORS} tensors, {options.rounds} rounds; median, ratio, peak of memory")
    for kind in options.types:
        measure(kind, options)


if __name__ == "__main__":
    main()
