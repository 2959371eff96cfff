"""Files that several tests of the package read."""

from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path

ROOT = Path(__file__).parents[3]


def write_inputs(folder: Path) -> Path:
    """Writes the small files of the command-line tests into `folder`, and gives it back."""
    spec = importlib.util.spec_from_file_location("make_inputs", ROOT / "tests" / "cli" / "make_inputs.py")
    assert spec is not None
    assert spec.loader is not None
    make_inputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_inputs)
    make_inputs.write_files(folder)
    return folder


def write_large(path: Path, size: int = 1 << 30) -> Path:
    """A file of one tensor of zeros that takes no room, and a while to copy."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size)
    return path
