"""The suite is found, and there is a folder on a disk for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "bench"))


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder beside the build, which is on a disk even where the one for temporary files is in memory."""
    with TemporaryDirectory(dir=os.environ.get("WEIGHBRIDGE_BENCH_FOLDER")) as folder:
        yield Path(folder)
