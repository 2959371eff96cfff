"""The program under test, run within hard bounds."""

from __future__ import annotations

import functools
import json
import os
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from case import GIBIBYTE

EXECUTABLE = os.environ["WEIGHBRIDGE_CLI"]

CPU_SECONDS = 60  # Far more than any case takes without optimisation, far less than quadratic work would.
FILE_BYTES = 64 << 20


@dataclass(frozen=True)
class Done:
    """What came of a run."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> dict[str, Any]:
        document = json.loads(self.stdout)
        assert isinstance(document, dict)
        return document

    def error_code(self) -> str:
        return str(self.json()["error"]["code"])

    def finding_codes(self) -> set[str]:
        return {finding["code"] for finding in self.json()["findings"]}


def bound(memory: int) -> None:
    """Limits of the process that the program becomes; it is killed or refused what goes beyond."""
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))


def run(folder: Path, *arguments: str | Path, memory: int = GIBIBYTE, before: Sequence[str] = ()) -> Done:
    """Runs the program in `folder`. A run that a limit ended has a negative code."""
    done = subprocess.run(
        [*before, EXECUTABLE, *map(str, arguments)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        preexec_fn=functools.partial(bound, memory),
    )
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def start(folder: Path, *arguments: str | Path) -> subprocess.Popen[bytes]:
    """Starts the program, with its output in a pipe."""
    return subprocess.Popen(
        [EXECUTABLE, *map(str, arguments)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=functools.partial(bound, GIBIBYTE),
    )


@functools.cache
def has_command(name: str) -> bool:
    """Whether the program knows the command."""
    listed = subprocess.run([EXECUTABLE, "--help"], capture_output=True, check=True, text=True).stdout
    return any(line.split()[:1] == [name] for line in listed.splitlines())
