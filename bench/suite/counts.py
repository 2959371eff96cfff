"""Instruction counts against a baseline: what got slower, without a clock.

callgrind runs a few workloads of the native program and counts the instructions of the work alone. Counts hardly
differ between machines, but they do between compilers and kinds of build, so the baseline names those it is for,
and with any other nothing is compared, which is no success: the check then ends with status 77.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from suite import inputs
from suite.model import Case

BASELINE = Path(__file__).resolve().parent.parent / "instructions.json"
TOLERANCE = 0.03  # Of more instructions than the baseline has.
SKIPPED = 77
EVENT = re.compile(r"Collected : (\d+)")


def workloads(folder: Path) -> dict[str, list[str]]:
    """What is counted: a name, and the arguments of the native program."""
    header = str(inputs.header_file(folder, 20_000))

    def hostile(kind: str) -> str:
        return str(inputs.hostile_file(folder, kind, 20_000))

    return {
        "open a header of 20 000 tensors": ["open_alone", header, header],
        "open a header of 100 000 tensors": ["open_alone", header, str(inputs.header_file(folder, 100_000))],
        "open an indented header of 20 000": ["open_alone", header, hostile("indented")],
        "open a shuffled header of 20 000": ["open_alone", header, hostile("shuffled")],
        "open an escaped header of 20 000": ["open_alone", header, hostile("all escaped")],
        "plan a file of 20 000 tensors": ["serialize", "20000"],
        "take columns of 200 tensors": ["column", str(matrices(folder))],
        "read a pickle of 2 000 tensors": ["checkpoint", str(pickled(folder))],
    }  # fmt: skip


def matrices(folder: Path) -> Path:
    """200 matrices of 64 x 64, of zeros."""

    def make(path: Path) -> None:
        size = 64 * 64 * 4
        tensors = [
            (f"m{i}", {"dtype": "F32", "shape": [64, 64], "data_offsets": [i * size, (i + 1) * size]})
            for i in range(200)
        ]
        inputs.write_header(path, inputs.text(tensors), tensors)

    return inputs.made(folder / "matrices.safetensors", make)


def pickled(folder: Path, count: int = 2_000) -> Path:
    """A checkpoint as torch.save writes it, made without torch so that every machine counts the same bytes."""
    from suite.pickled import write_checkpoint

    return inputs.made(folder / "checkpoint.pt", lambda path: write_checkpoint(path, count))


def count(program: Path, arguments: list[str]) -> int:
    """Instructions inside weighbridge_counted()."""
    command = [
        *("valgrind", "--tool=callgrind", "--toggle-collect=weighbridge_counted", "--callgrind-out-file=/dev/null"),
        *(str(program), "count", *arguments),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = EVENT.search(done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr}")
    return int(found[1])


def about(program: Path) -> str:
    done = subprocess.run([str(program), "about"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def count_all(program: Path) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: count(program, arguments) for name, arguments in workloads(Path(folder)).items()}


def complaints(counted: dict[str, int], baseline: dict[str, int]) -> list[str]:
    """What needs more instructions than it may, and what the baseline does not know or nobody counts."""
    found = [f"'{name}' is only on one side" for name in sorted(counted.keys() ^ baseline.keys())]
    for name in sorted(counted.keys() & baseline.keys()):
        if counted[name] > baseline[name] * (1 + TOLERANCE):
            growth = counted[name] / baseline[name] - 1
            found.append(f"'{name}' takes {counted[name]} instructions, {growth:.1%} more than {baseline[name]}")
    return found


def show(counted: dict[str, int], baseline: dict[str, int]) -> None:
    for name, instructions in counted.items():
        change = f"{instructions / baseline[name] - 1:+.1%}" if name in baseline else "new"
        print(f"{instructions:>14,} {change:>8}  {name}")


def check(case: Case, *, update: bool) -> int:
    """The status of tools/bench --check."""
    if shutil.which("valgrind") is None or not case.native.exists():
        print(
            f"nothing is compared: there is no valgrind, or no {case.native.name} (build with WEIGHBRIDGE_BUILD_BENCH)"
        )
        return SKIPPED
    known = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    built = about(case.native)
    if not update and known.get("built_with") != built:
        print(f"nothing is compared: the baseline is for {known.get('built_with')}, the program is built with {built}")
        return SKIPPED
    counted = count_all(case.native)
    baseline = known.get("instructions", {})
    show(counted, baseline)
    if update:
        text = json.dumps({"built_with": built, "tolerance": TOLERANCE, "instructions": counted}, indent=2)
        BASELINE.write_text(text + "\n", encoding="utf-8")
        return 0
    found = complaints(counted, baseline)
    print("\n".join(found) or f"nothing takes more than {TOLERANCE:.0%} above the baseline", file=sys.stderr)
    return 1 if found else 0
