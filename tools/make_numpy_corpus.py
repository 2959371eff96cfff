#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets joblib_stream and npy_header with a real numpy and joblib.

python3 tools/make_numpy_corpus.py fuzz/corpus
"""

from __future__ import annotations

import io
import pathlib
import pickle
import sys

import joblib
import numpy as np

NPY_MAGIC_BYTES = 6


def values() -> dict[str, object]:
    rows = np.zeros((2,), [("x", ">f4"), ("y", "<i2", (2,)), ("name", "S3")])
    return {
        "plain": {"w": np.arange(6, dtype="<f4").reshape(2, 3), "big": np.arange(3, dtype=">i8")},
        "layouts": {"f": np.asfortranarray(np.eye(2)), "empty": np.zeros((0, 2)), "zero": np.array(1.5)},
        "structure": rows,
        "objects": {"a": np.array([{"w": np.arange(2)}, None], object), "b": np.arange(2)},
        "times": {"t": np.zeros(2, dtype="M8[25s]"), "c": np.ones(2, ">c16")},
        "masked": np.ma.array([1.0, 2.0], mask=[True, False]),
        "scalar": {"w": np.arange(2), "s": np.float32(1.5), "text": np.array(["a", "bc"])},
    }


def joblib_seed(value: object, protocol: int) -> bytes:
    out = io.BytesIO()
    joblib.dump(value, out, protocol=protocol)
    return out.getvalue()


def npy_seed(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()[NPY_MAGIC_BYTES:]


def write(folder: pathlib.Path, seeds: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)


def main() -> None:
    corpus = pathlib.Path(sys.argv[1])
    streams = {
        f"joblib_{name}_p{protocol}": joblib_seed(value, protocol)
        for name, value in values().items()
        for protocol in (0, 2, 4)
    }
    pickles = {
        f"pickle_{name}_p{protocol}": pickle.dumps(value, protocol)
        for name, value in values().items()
        for protocol in (2, 5)
    }
    write(corpus / "joblib_stream", streams | pickles)
    arrays = {
        "plain": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.eye(3, dtype=">i2")),
        "structure": values()["structure"],
        "objects": np.array([{"w": np.arange(2)}, "text"], object),
        "scalar": np.array(2.5),
        "text": np.array(["a", "bc"]),
    }
    write(corpus / "npy_header", {name: npy_seed(np.asarray(array)) for name, array in arrays.items()})


if __name__ == "__main__":
    main()
