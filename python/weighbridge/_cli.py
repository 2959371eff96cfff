"""The program ``weighbridge`` that comes with the package: where it is, and how it is run."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

_POLL_SECONDS = 0.05
_PIECE = 1 << 16


class CancelToken(Protocol):
    """What tells that work is to stop; ``threading.Event`` is one."""

    def is_set(self) -> bool:
        """Whether to stop."""


@dataclass(frozen=True)
class Finished:
    """What came of a run of the program."""

    status: int
    output: str
    errors: str
    cancelled: bool


def find_program() -> Path:
    """The program that was installed together with this package; ``PATH`` is not looked at.

    Raises:
        FileNotFoundError: the installation is not complete.
    """
    for place in _places():
        if place.is_file():
            return place
    raise FileNotFoundError("the program 'weighbridge' is not where this package was installed; install it again")


def run(arguments: Sequence[str], on_line: Callable[[str], bool], cancel: CancelToken | None) -> Finished:
    """Runs the program to its end and gives what it printed.

    Each line of its standard error goes to `on_line`, in this thread; lines that it takes (it returns
    True) are not part of the result. When `cancel` is set the program is asked to stop, once. When
    `on_line` raises, or an interrupt comes, the program is stopped and the exception goes on.
    """
    command = [str(find_program()), *arguments]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        conversation = _Conversation(process, on_line)
        try:
            cancelled = conversation.follow(cancel)
        except BaseException:
            conversation.stop()
            raise
    return Finished(process.returncode, conversation.output, conversation.errors, cancelled)


def main() -> None:
    """Becomes the program: ``python -m weighbridge ARGS…``."""
    program = str(find_program())
    sys.stdout.flush()
    os.execv(program, [program, *sys.argv[1:]])


def _places() -> list[Path]:
    """Where the program may be, seen from this package: as installers and repaired wheels lay it out."""
    site = Path(__file__).parents[1]
    prefix = site.parents[2:3]  # of lib/python3.x/site-packages
    folders = [site / "weighbridge.scripts", *(folder / "bin" for folder in (site, *prefix))]
    return [folder / "weighbridge" for folder in (*folders, Path(sysconfig.get_path("scripts")))]


class _Conversation:
    """Reads both streams of a running program until they end."""

    def __init__(self, process: subprocess.Popen[bytes], on_line: Callable[[str], bool]) -> None:
        self._process = process
        self._on_line = on_line
        self._streams: dict[IO[bytes], bytearray] = {}
        self._selector = selectors.DefaultSelector()
        for stream in (process.stdout, process.stderr):
            assert stream is not None  # both are pipes
            self._streams[stream] = bytearray()
            self._selector.register(stream, selectors.EVENT_READ)
        self._kept: list[str] = []

    @property
    def output(self) -> str:
        """All of standard output."""
        return self._text(self._process.stdout)

    @property
    def errors(self) -> str:
        """Standard error, less the lines that were taken."""
        return "".join(self._kept) + self._text(self._process.stderr)

    def follow(self, cancel: CancelToken | None) -> bool:
        """Reads on until the program closes its streams; gives whether it was asked to stop."""
        cancelled = False
        while self._selector.get_map():
            if not cancelled and cancel is not None and cancel.is_set():
                self._process.terminate()
                cancelled = True
            for key, _ in self._selector.select(_POLL_SECONDS if cancel is not None else None):
                self._read(key.fileobj)  # type: ignore[arg-type]  # only streams were registered
        return cancelled

    def stop(self) -> None:
        """Asks the program to stop and waits until it has cleaned up; kills it on a second interrupt."""
        try:
            self._process.terminate()
            self._on_line = lambda line: False
            self.follow(None)
        except BaseException:
            self._process.kill()
            raise

    def _read(self, stream: IO[bytes]) -> None:
        piece = os.read(stream.fileno(), _PIECE)
        if not piece:
            self._selector.unregister(stream)
            return
        self._streams[stream] += piece
        if stream is self._process.stderr:
            self._take_lines(self._streams[stream])

    def _take_lines(self, pending: bytearray) -> None:
        while (end := pending.find(b"\n")) >= 0:
            line = pending[: end + 1].decode("utf-8", "replace")
            del pending[: end + 1]
            if not self._on_line(line):
                self._kept.append(line)

    def _text(self, stream: IO[bytes] | None) -> str:
        assert stream is not None
        return self._streams[stream].decode("utf-8", "replace")
