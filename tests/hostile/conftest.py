"""Shared by all tests of this folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest


def snapshot(folder: Path) -> dict[str, str]:
    """Every file below the folder with what it holds; links and pipes by their kind alone."""
    found = {}
    for path in sorted(folder.rglob("*")):
        regular = path.is_file() and not path.is_symlink()
        found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest() if regular else "special"
    return found


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[], dict[str, str]]:
    """Gives the state of the test's folder whenever it is called."""
    return lambda: snapshot(tmp_path)
