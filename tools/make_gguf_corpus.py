#!/usr/bin/env python3
"""Writes the seeds of the fuzz target gguf_file with the real gguf package.

python3 tools/make_gguf_corpus.py fuzz/corpus
"""

from __future__ import annotations

import pathlib
import sys
import tempfile

import gguf
import numpy as np
from gguf import GGML_QUANT_SIZES, quants

MAGIC_BYTES = 4


def written(tensors: dict[str, tuple[np.ndarray, object]], endianess: gguf.GGUFEndian, values: bool) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.gguf"
        writer = gguf.GGUFWriter(path, "test", endianess=endianess)
        if values:
            writer.add_string("text", "naïve")
            writer.add_array("texts", ["a", "", "b"])
            writer.add_array("numbers", [1, -2])
            writer.add_float32("float", 0.5)
            writer.add_bool("yes", True)
            writer.add_uint64("big", 2**64 - 1)
            writer.add_custom_alignment(64)
        for name, (array, kind) in tensors.items():
            writer.add_tensor(name, array, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()[MAGIC_BYTES:]


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) / "gguf_file"
    folder.mkdir(parents=True, exist_ok=True)
    floats = {"f": (np.arange(6, dtype=np.float32).reshape(2, 3), None), "i": (np.arange(2), None)}
    for order in gguf.GGUFEndian:
        (folder / f"floats_{order.name.lower()}").write_bytes(written(floats, order, True))
    rng = np.random.default_rng(1)
    for kind in quants._type_traits:
        blocks = rng.integers(0, 256, (1, GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
        content = written({"w": (blocks, kind)}, gguf.GGUFEndian.LITTLE, False)
        (folder / f"blocks_{kind.name.lower()}").write_bytes(content)


if __name__ == "__main__":
    main()
