"""The files that are the project's own, for the check scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Built or installed here, or bytes that nobody reads as text.
SKIPPED_FOLDERS = {".git", ".venv", "build", "__pycache__", ".pytest_cache", "corpus", "regressions", "data"}


def files(*suffixes: str, below: str = "") -> Iterator[Path]:
    """Files of these suffixes (or these whole names) below a folder of the project, in order."""
    for path in sorted((ROOT / below).rglob("*")):
        inside = path.relative_to(ROOT)
        if SKIPPED_FOLDERS.isdisjoint(inside.parts) and path.is_file() and path.name.endswith(suffixes):
            yield path


def name_of(path: Path) -> str:
    """The path as a reader of a message knows it."""
    return path.relative_to(ROOT).as_posix()


def finish(problems: list[str], checked: int) -> None:
    """Ends the check: prints what is wrong, or how much is right."""
    for problem in problems:
        print(problem)
    if not checked:
        print("nothing was checked")
    print(f"{checked} checked, {len(problems)} problems")
    sys.exit(1 if problems or not checked else 0)
