#!/usr/bin/env python3
"""Writes the seeds of the fuzz target flax_msgpack with a real msgpack.

python3 tools/make_flax_corpus.py fuzz/corpus
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import msgpack
import numpy as np

NDARRAY, COMPLEX, SCALAR = 1, 2, 3


def array(values: np.ndarray[Any, Any], kind: int = NDARRAY, **options: Any) -> msgpack.ExtType:
    """As flax packs one."""
    packed = msgpack.packb((values.shape, values.dtype.name, values.tobytes()), **options)
    return msgpack.ExtType(kind, packed)


def trees() -> dict[str, Any]:
    weights = array(np.arange(6, dtype=np.float32).reshape(2, 3))
    chunk = array(np.arange(2, dtype=np.int8))
    chunked = {"__msgpack_chunked_array__": True, "shape": {"0": 2, "1": 2}, "chunks": {"0": chunk, "1": chunk}}
    complex_number = msgpack.ExtType(COMPLEX, msgpack.packb((1.0, 2.0)))
    scalar = array(np.array(3, np.int32), SCALAR)
    return {
        "params": {"params": {"dense": {"kernel": weights, "bias": array(np.zeros(3))}}},
        "chunked": {"w": chunked, "v": weights},
        "state": {"step": 7, "lr": 0.5, "c": complex_number, "s": scalar, "n": None, "big": 2**64 - 1, "w": weights},
        "lists": {"opt": [{"mu": weights}, [True, -5, "text", b"bytes"]]},
        "empty": {"w": array(np.zeros((0, 2), np.float16)), "m": {}},
        "complex": {"w": array(np.ones(2, np.complex128))},
    }


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) / "flax_msgpack"
    folder.mkdir(parents=True, exist_ok=True)
    for name, tree in trees().items():
        (folder / name).write_bytes(msgpack.packb(tree))
    old = array(np.arange(4, dtype=np.int16), use_bin_type=False)
    (folder / "old").write_bytes(msgpack.packb({"w": old}, use_bin_type=False))


if __name__ == "__main__":
    main()
