#!/usr/bin/env python3
"""Writes the seeds of the fuzz target npz_archive with a real numpy.

python3 tools/make_npz_corpus.py fuzz/corpus
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import numpy as np


def archives() -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    weights = np.arange(6, dtype="<f4").reshape(2, 3)
    return {
        "plain": {"w": weights, "a/b": np.arange(3, dtype=">i8"), "A": np.array(True)},
        "layouts": {"f": np.asfortranarray(weights), "empty": np.zeros((0, 2)), "zero": np.array(1.5)},
        "raw": {"bf16": np.zeros(3, "V2")},
        "fields": {"rows": np.zeros(2, [("x", ">f4"), ("y", "<i2", (2,)), ("name", "S3")])},
        "objects": {"things": np.array([{"w": np.arange(2)}, None], object), "w": weights},
        "text": {"labels": np.array(["a", "bc"]), "c": np.ones(2, ">c16")},
    }


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) / "npz_archive"
    folder.mkdir(parents=True, exist_ok=True)
    for name, arrays in archives().items():
        np.savez(folder / f"{name}_stored", **arrays)
        np.savez_compressed(folder / f"{name}_deflated", **arrays)
    for file in folder.glob("*.npz"):
        file.replace(file.with_suffix(""))


if __name__ == "__main__":
    main()
