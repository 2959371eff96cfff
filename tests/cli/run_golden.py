#!/usr/bin/env python3
"""Replays transcripts of the command line and compares what the program prints.

A transcript is a text file of blocks; the blocks of one file share a fresh folder of inputs:

    ## A comment says what the block shows.
    $ weighbridge ls model.safetensors
    the expected standard output
    [stderr]
    the expected standard error
    [exit 1]

[stderr] and [exit] may be missing: nothing on stderr, exit status 0. "$ files" lists what the blocks
before it have left behind; "hex|" in front of a command shows its output as hexadecimal.
--rebase writes what the program prints now into the transcripts.
"""

from __future__ import annotations

import argparse
import difflib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import make_inputs

# What may differ from run to run.
UNSTABLE = [
    (re.compile(r'("seconds": )[0-9.e+-]+'), r"\g<1>0.0"),
    (re.compile(r'("bytes_copied_in_kernel": )\d+'), r"\g<1>0"),
]


class Block:
    def __init__(self, comments: list[str], command: str) -> None:
        self.comments, self.command = comments, command

    def text(self, output: str) -> str:
        return "".join([*self.comments, f"$ {self.command}\n", output])


def parse(text: str) -> list[Block]:
    """The commands and the comments before them; the rest is what is compared."""
    blocks: list[Block] = []
    comments: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("## "):
            comments.append(line)
        elif line.startswith("$ "):
            blocks.append(Block(comments, line[2:].strip()))
            comments = []
    return blocks


def ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def run_program(program: pathlib.Path, command: str, folder: pathlib.Path) -> str:
    as_hex = command.startswith("hex| ")
    words = shlex.split(command.removeprefix("hex| "))
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    environment |= {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}
    done = subprocess.run(
        [program, *words[1:]], cwd=folder, env=environment, capture_output=True, check=False, timeout=60
    )
    stdout = done.stdout.hex() if as_hex else done.stdout.decode("utf-8", "backslashreplace")
    output = ended(stdout)
    if done.stderr:
        output += "[stderr]\n" + ended(done.stderr.decode("utf-8", "backslashreplace"))
    if done.returncode != 0:
        output += f"[exit {done.returncode}]\n"
    for pattern, replacement in UNSTABLE:
        output = pattern.sub(replacement, output)
    return output


def list_files(folder: pathlib.Path) -> str:
    given = {name.split("/")[0] for name in make_inputs.FILES}
    names = sorted(path.name for path in folder.iterdir() if path.name not in given)
    return "".join(name + "\n" for name in names)


def replay(program: pathlib.Path, transcript: pathlib.Path) -> str:
    """The transcript as it would read now."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_inputs.write_files(folder)
        parts = []
        for block in parse(transcript.read_text()):
            files = block.command == "files"
            output = list_files(folder) if files else run_program(program, block.command, folder)
            parts.append(block.text(output))
        return "\n".join(parts)


def check(program: pathlib.Path, transcript: pathlib.Path, rebase: bool) -> bool:
    expected = transcript.read_text()
    actual = replay(program, transcript)
    if actual == expected:
        return True
    if rebase:
        transcript.write_text(actual)
        print(f"rebased {transcript}")
        return True
    lines = difflib.unified_diff(
        expected.splitlines(True), actual.splitlines(True), f"{transcript} (expected)", f"{transcript} (actual)"
    )
    sys.stdout.writelines(lines)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rebase", action="store_true", help="accept what the program prints now")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    transcripts = [path for folder in arguments.folders for path in sorted(folder.glob("*.txt"))]
    if not transcripts:
        sys.exit("no transcripts")
    program = arguments.program.resolve()
    results = [check(program, transcript, arguments.rebase) for transcript in transcripts]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
