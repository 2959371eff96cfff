#!/usr/bin/env python3
"""Runs the program on mutated files, in its sandbox, for some time: libFuzzer cannot see into another process.

    fuzz/convert_in_worker.py WEIGHBRIDGE [--seconds 1200] [--seed 1]

Starts from the seeds of all targets. Whatever a file holds, the program ends by itself with one of its exit
codes, writes an output only when it says so, and leaves nothing else behind. A file for which that is not so is
kept in the current folder, and the script fails.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
# Converted; refused; dangerous.
EXPECTED = {0, 1, 4}
INTERESTING = [
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"\x80\x02",
    b"\x80\x04\x95",
    b".",
    b"R",
    b"b",
]
LARGEST = 1 << 20


def mutated(seeds: list[bytes], rng: random.Random) -> bytes:
    """A seed with a few bytes changed, moved, removed, repeated, or taken from another one."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data) + 1)
        length = min(len(data) - at, rng.randint(1, 64))
        match rng.randrange(6):
            case 0 if at < len(data):
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length] * rng.randint(1, 4)
            case 3:
                data[at:at] = rng.choice(INTERESTING)
            case 4:
                other = rng.choice(seeds)
                start = rng.randrange(len(other) + 1)
                data[at : at + length] = other[start : start + rng.randint(1, 256)]
            case _:
                data[at : at + 8] = rng.choice([0, 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]).to_bytes(8, "little")
    return bytes(data[:LARGEST])


def problem(program: str, content: bytes) -> str | None:
    """What went wrong with one file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").write_bytes(content)
        command = [program, "convert", "in", "-o", "out", "--quiet"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return "it took more than a minute"
        left = {path.name for path in folder.iterdir()} - {"in"}
        if done.returncode not in EXPECTED:
            return f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[:500]}"
        if b"the process that read the input was stopped" in done.stderr:
            return done.stderr.decode(errors="replace")
        if left != ({"out"} if done.returncode == 0 else set()):
            return f"exit code {done.returncode}, and in the folder: {sorted(left)}"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    program = str(Path(arguments.program).resolve())
    seeds = [path.read_bytes() for path in sorted(CORPUS.rglob("*")) if path.is_file()]
    rng = random.Random(arguments.seed)
    end = time.monotonic() + arguments.seconds
    runs = 0
    while time.monotonic() < end:
        content = mutated(seeds, rng)
        runs += 1
        if found := problem(program, content):
            kept = Path(f"worker-{arguments.seed}-{runs}.bin").resolve()
            kept.write_bytes(content)
            sys.exit(f"run {runs}: {found}\nkept as {kept}")
    print(f"{runs} files, {len(seeds)} seeds: no finding")


if __name__ == "__main__":
    main()
