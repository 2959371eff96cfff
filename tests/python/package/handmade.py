"""Files for the reading tests, put together by hand: what is read must not be what the same package wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

BITS = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("C64", "F64", "I64", "U64"), 64),
}


class Tensor(NamedTuple):
    """A tensor of a file; without bytes of its own it counts them up."""

    code: str
    shape: tuple[int, ...]
    data: bytes | None = None

    @property
    def content(self) -> bytes:
        size = math.prod(self.shape) * BITS[self.code] // 8
        if self.data is not None:
            return self.data
        return bytes(i % 2 if self.code == "BOOL" else i % 251 for i in range(size))


def file_bytes(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None, *, padding: int | None = None
) -> bytes:
    """A safetensors file with the tensors in the given order; its header ends with ``padding`` spaces, or aligned."""
    header: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    at = 0
    for name, tensor in tensors.items():
        end = at + len(tensor.content)
        header[name] = {"dtype": tensor.code, "shape": list(tensor.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8 if padding is None else padding)
    return len(text).to_bytes(8, "little") + text + b"".join(tensor.content for tensor in tensors.values())


def write_file(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Path:
    """Writes such a file and gives its path."""
    path.write_bytes(file_bytes(tensors, metadata))
    return path


def every_dtype(shape: tuple[int, ...] = (4, 6)) -> dict[str, Tensor]:
    """One tensor of each dtype that has a meaning to frameworks, largest elements first."""
    codes = sorted((code for code in BITS if not code.startswith("F6")), key=lambda code: (-BITS[code], code))
    return {code.lower(): Tensor(code, shape) for code in codes}
