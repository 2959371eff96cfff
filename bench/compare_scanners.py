#!/usr/bin/env python3
"""Lets other scanners of pickles judge the same files, and writes the verdicts side by side.

    python3 bench/compare_scanners.py build/dev/weighbridge FIXTURES > table.md
    python3 bench/compare_scanners.py build/dev/weighbridge FIXTURES --into docs/security.md

Each scanner runs as a program of its own with its default settings, one file at a time, within a time
and a memory limit: `picklescan --path FILE`, `fickling --check-safety FILE`, `weighbridge scan FILE`.
None of them loads a file. What the table says is what the exit status and the output say; a crash, a
timeout and a failed scan are told as such and count as no verdict.
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

SECONDS = 60
BYTES = 4 << 30
FOLDERS = ("malicious", "generated", "real", "lookalike")
START, END = "<!-- scanners: written by bench/compare_scanners.py -->", "<!-- end of scanners -->"

Run = collections.namedtuple("Run", "status output")


def run(command: list[str], folder: str) -> Run:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))

    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS, check=False, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return Run(None, "")
    return Run(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"))


def judge_picklescan(done: Run) -> str:
    if done.status is None:
        return "timeout"
    if done.status == 1:
        return "dangerous"
    if done.status != 0:
        return "crash" if "Traceback" in done.output else "error"
    if re.search(r"Scanned files: 0\b", done.output):
        return "not scanned"
    if not re.search(r"Suspicious globals: 0\b", done.output):
        return "suspicious"
    return "clean, with a warning" if "WARNING" in done.output else "clean"


def judge_fickling(done: Run) -> str:
    if done.status is None:
        return "timeout"
    if done.status in (0, 1) and "Traceback" not in done.output:
        return ("clean", "unsafe")[done.status]
    return "crash" if "Traceback" in done.output else "error"


class Scanners:
    def __init__(self, weighbridge: pathlib.Path) -> None:
        self.weighbridge = str(weighbridge.resolve())
        self.folder = tempfile.mkdtemp()  # fickling writes its results into the current folder
        programs = pathlib.Path(sys.executable).parent
        self.picklescan = shutil.which("picklescan", path=str(programs)) or "picklescan"
        self.fickling = shutil.which("fickling", path=str(programs)) or "fickling"

    def ours(self, file: pathlib.Path) -> str:
        done = run([self.weighbridge, "scan", "--json", str(file)], self.folder)
        return json.loads(done.output)["verdict"]

    def judge(self, file: pathlib.Path) -> tuple[str, str, str]:
        return (
            self.ours(file),
            judge_picklescan(run([self.picklescan, "--path", str(file)], self.folder)),
            judge_fickling(run([self.fickling, "--check-safety", str(file)], self.folder)),
        )


def counts(rows: list[tuple[str, tuple[str, str, str]]]) -> list[str]:
    lines = ["| folder | scanner | verdicts |", "|---|---|---|"]
    for folder in FOLDERS:
        inside = [verdicts for name, verdicts in rows if name.startswith(f"{folder}/")]
        for column, scanner in enumerate(("weighbridge", "picklescan", "fickling")):
            tally = collections.Counter(verdicts[column] for verdicts in inside)
            text = ", ".join(f"{count} {verdict}" for verdict, count in tally.most_common())
            lines.append(f"| {folder} ({len(inside)}) | {scanner} | {text} |")
    return lines


def table(rows: list[tuple[str, tuple[str, str, str]]]) -> str:
    lines = [*counts(rows), "", "| file | weighbridge | picklescan | fickling |", "|---|---|---|---|"]
    lines += [f"| {name} | {' | '.join(verdicts)} |" for name, verdicts in rows]
    return "\n".join(lines) + "\n"


def write_into(page: pathlib.Path, text: str) -> None:
    before, rest = page.read_text().split(START)
    page.write_text(f"{before}{START}\n{text}{END}{rest.split(END)[1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weighbridge", type=pathlib.Path)
    parser.add_argument("fixtures", type=pathlib.Path)
    parser.add_argument("--into", type=pathlib.Path, help="replace the table in this page")
    arguments = parser.parse_args()
    scanners = Scanners(arguments.weighbridge)
    files = [
        file
        for folder in FOLDERS
        for file in sorted((arguments.fixtures / folder).rglob("*"))
        if file.is_file() and file.suffix != ".json"
    ]
    rows = [(str(file.relative_to(arguments.fixtures)), scanners.judge(file)) for file in files]
    if arguments.into:
        write_into(arguments.into, table(rows))
    else:
        sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()
