"""Reads converted files, with no library but Python's own."""

from __future__ import annotations

import json
from pathlib import Path

from checkpoints import Tensors


def read(path: Path) -> Tensors:
    """The tensors of a safetensors file; names that stand for another tensor's bytes have those bytes."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    data = content[8 + length :]
    found: Tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        found[name] = (info["dtype"], info["shape"], data[begin:end])
    tied = {alias: found[kept] for alias, kept in metadata.items() if kept in found and alias not in found}
    return found | tied
