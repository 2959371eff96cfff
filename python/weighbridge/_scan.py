"""The scan of files for code in pickles, by the program in its sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from . import _cli
from ._cli import CancelToken
from ._errors import SafetensorError, from_native
from ._reports import parse_report

StrPath = str | os.PathLike[str]
Verdict = Literal["clean", "not a checkpoint", "unknown", "malformed", "dangerous"]

_SCHEMA = "weighbridge.scan.v1"
_PATHS_AT_ONCE = 1000  # a command line has an end


@dataclass(frozen=True)
class ScannedGlobal:
    """A name of code that a file mentions: `kind` is ``"known"``, ``"unknown"`` or ``"dangerous"``.

    `place` is the path through containers, with ``!`` between them, `offset` the byte in the innermost
    one where the name is first used, `uses` how often it is.
    """

    kind: Literal["known", "unknown", "dangerous"]
    module: str
    name: str
    reason: str
    place: str
    offset: int
    uses: int


@dataclass(frozen=True)
class ScanFinding:
    """Something about a file that counts towards its verdict, or (``"clean"``) is worth knowing."""

    verdict: Verdict
    code: str
    message: str
    place: str
    offset: int | None


@dataclass(frozen=True)
class ScannedFile:
    """The verdict on one file.

    Attributes:
        path: the file, as it was found.
        verdict: the worst of all that is in it; None when it could not be read.
        error: why it could not be read: an `OSError` as well, with `errno` where a system call failed.
        format: None when it is not known.
        omitted: how many globals and findings are beyond the limit of 1000 of each.
    """

    path: str
    verdict: Verdict | None
    error: SafetensorError | None = None
    format: str | None = None
    bytes: int = 0
    pickles: int = 0
    globals: tuple[ScannedGlobal, ...] = ()
    findings: tuple[ScanFinding, ...] = ()
    omitted: int = 0

    @property
    def clean(self) -> bool:
        """Whether the file was read and there is nothing against it."""
        return self.verdict == "clean"


def scan(
    paths: StrPath | Iterable[StrPath],
    *,
    depth: int = 4,
    sandbox: Literal["best", "require", "off"] = "best",
    max_memory: int | None = None,
    cancel: CancelToken | None = None,
) -> list[ScannedFile]:
    """Tells what files would do to a loader that runs their pickles; executes nothing of them.

    Args:
        paths: a path or several, of files and folders; folders are read with all that is below them,
            in the order of their names. Links in folders are not followed.
        depth: how far archives within archives are looked into.
        sandbox, max_memory: of the processes that read the files, as for `convert`.
        cancel: as for `convert`.

    Returns:
        One verdict for each file, in order. A file that cannot be read is among them, with `error`.

    Raises:
        ValueError: an argument is wrong.
        CancelledError: `cancel` was set.
    """
    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    options = [f"--depth={depth}", f"--sandbox={sandbox}"]
    options += [] if max_memory is None else [f"--max-memory={max_memory}"]
    files: list[ScannedFile] = []
    for some in _portions([_no_dash(os.fspath(path)) for path in several]):
        done = _cli.run(["scan", *options, "--json", "--", *some], lambda line: False, cancel)
        files += map(_scanned_file, parse_report(done, _SCHEMA)["files"])
    return files


def _portions(paths: list[str]) -> Iterator[list[str]]:
    rest = iter(paths)
    while some := list(islice(rest, _PATHS_AT_ONCE)):
        yield some


def _no_dash(path: str) -> str:
    """A file called ``-`` is a file, not standard input."""
    return "./-" if path == "-" else path


def _scanned_file(item: dict[str, Any]) -> ScannedFile:
    if item["verdict"] is None:
        error = from_native("IoError", item["error"], item["file"], None, item["errno"] or 0)
        return ScannedFile(item["file"], None, error)
    return ScannedFile(
        path=item["file"],
        verdict=item["verdict"],
        format=item["format"],
        bytes=item["bytes"],
        pickles=item["pickles"],
        globals=tuple(_scanned_global(each) for each in item["globals"]),
        findings=tuple(ScanFinding(**each) for each in item["findings"]),
        omitted=item["omitted"],
    )


def _scanned_global(item: dict[str, Any]) -> ScannedGlobal:
    known = {name: item[name] for name in ScannedGlobal.__dataclass_fields__ if name != "kind"}
    return ScannedGlobal(kind=item["class"], **known)
