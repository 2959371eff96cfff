#!/usr/bin/env python3
"""numpy's files to safetensors and back, and casting: weighbridge against what people write in Python.

Makes the inputs, runs both ways in turn, round after round, compares what they wrote, and prints medians and the
peak of memory that is the process's own.

    cmake --preset release && cmake --build --preset release && tools/make_venv.sh build/venv
    build/venv/bin/python bench/npz_vs_usual.py
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from safetensors.numpy import save_file

ROOT = Path(__file__).resolve().parent.parent
MIB, GIB = 2**20, 2**30
ARRAYS = 64

TO_SAFETENSORS = """
import sys
import numpy as np
from safetensors.numpy import save_file
loaded = np.load(sys.argv[1])
save_file({"array": loaded} if isinstance(loaded, np.ndarray) else dict(loaded), sys.argv[2])
"""
TO_NPZ = """
import sys
import numpy as np
from safetensors.numpy import load_file
np.savez(sys.argv[2], **load_file(sys.argv[1]))
"""
TO_BF16 = """
import sys
import torch
from safetensors.torch import load_file, save_file
save_file({name: tensor.bfloat16() for name, tensor in load_file(sys.argv[1]).items()}, sys.argv[2])
"""


@dataclass
class Way:
    """One way to do a piece of work: a command, its times and its memory."""

    command: list[str]
    seconds: list[float] = field(default_factory=list)
    private_bytes: int = 0

    def run(self, output: Path) -> None:
        output.unlink(missing_ok=True)
        start = time.perf_counter()
        with subprocess.Popen(self.command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                self.private_bytes = max(self.private_bytes, private_bytes(process.pid))
                time.sleep(0.005)
        self.seconds.append(time.perf_counter() - start)
        if process.returncode:
            sys.exit(f"{self.command[0]}: exit code {process.returncode}")


def private_bytes(pid: int) -> int:
    """Memory of a process and its children that belongs to no file."""
    total = 0
    try:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            total += private_bytes(int(child))
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return total
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return total + int(fields.get("RssAnon", "0 kB").split()[0]) * 1024


def make_inputs(folder: Path, size: int) -> None:
    generator = np.random.default_rng(1)
    each = size // ARRAYS // 4
    arrays = {f"layers.{i}.weight": generator.standard_normal((each // 64, 64), np.float32) for i in range(ARRAYS)}
    np.savez(folder / "in.npz", **arrays)
    save_file(arrays, folder / "in.safetensors")
    np.save(folder / "in.npy", np.concatenate(list(arrays.values())))


def compare(program: str, ours: Path, theirs: Path) -> None:
    """Ends the run unless both files hold the same tensors."""
    if subprocess.run([program, "diff", ours, theirs], stdout=subprocess.DEVNULL, check=False).returncode:
        sys.exit(f"{ours} and {theirs} differ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/weighbridge"))
    parser.add_argument("--folder", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    make_inputs(options.folder, options.mib * MIB)
    works = [
        ("npz to safetensors", "in.npz", ".safetensors", TO_SAFETENSORS, []),
        ("npy to safetensors", "in.npy", ".safetensors", TO_SAFETENSORS, []),
        ("safetensors to npz", "in.safetensors", ".npz", TO_NPZ, ["--to", "npz"]),
        ("F32 to BF16", "in.safetensors", ".safetensors", TO_BF16, ["--dtype", "bf16"]),
    ]
    print(f"{options.mib} MiB, {options.rounds} rounds, alternating; ours verifies what it wrote")
    print(f"{'':22}{'usual s':>9}{'ours s':>9}{'ratio':>8}{'usual MiB':>11}{'ours MiB':>10}")
    for name, file, suffix, script, arguments in works:
        source = options.folder / file
        theirs, ours = options.folder / f"theirs{suffix}", options.folder / f"ours{suffix}"
        usual = Way([sys.executable, "-c", script, str(source), str(theirs)])
        own = Way([options.program, "convert", str(source), "-o", str(ours), "--force", "--quiet", *arguments])
        for _ in range(options.rounds):
            usual.run(theirs)
            own.run(ours)
        compare(options.program, ours, theirs)
        left, right = median(usual.seconds), median(own.seconds)
        memory = f"{usual.private_bytes // MIB:>11}{own.private_bytes // MIB:>10}"
        print(f"{name:22}{left:>9.2f}{right:>9.2f}{left / right:>8.1f}{memory}")
        theirs.unlink()
        ours.unlink()
    for file in ("in.npz", "in.npy", "in.safetensors"):
        (options.folder / file).unlink()


if __name__ == "__main__":
    main()
