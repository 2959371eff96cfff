#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets hdf5_file and keras_config. Needs h5py and numpy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parent.parent / "fuzz" / "corpus"


def plain(file: h5py.File) -> None:
    file["a/f"] = np.arange(6, dtype="f4").reshape(2, 3)
    file["a/i"] = np.arange(3, dtype=">i2")
    file["b"] = np.array([True, False])
    file["z"] = np.array([1 + 2j], dtype="c8")
    file["text"] = "words"
    file.create_dataset("late", (4,), "f8", fillvalue=1.5)
    file.attrs["n"] = np.int32(3)


def chunks(file: h5py.File) -> None:
    content = np.arange(20, dtype="i4").reshape(4, 5)
    file.create_dataset("d", data=content, chunks=(3, 2), compression="gzip", shuffle=True, fletcher32=True)
    file.create_dataset("l", data=np.zeros(64, "f4"), chunks=(32,), compression="lzf")
    file.create_dataset("grows", data=np.arange(9), chunks=(2,), maxshape=(None,))


def links(file: h5py.File) -> None:
    file["g/a"] = np.arange(3.0)
    file["hard"] = file["g/a"]
    file["soft"] = h5py.SoftLink("/g/a")


def outside(file: h5py.File) -> None:
    file["out"] = h5py.ExternalLink("other.h5", "/a")


def circle(file: h5py.File) -> None:
    group = file.create_group("a")
    group["again"] = group


def legacy(file: h5py.File) -> None:
    root = file.create_group("model_weights")
    root.attrs["layer_names"] = np.array([b"dense", b"flat"])
    root.create_group("dense").attrs["weight_names"] = np.array([b"dense/kernel:0"])
    root["dense/dense/kernel:0"] = np.ones((2, 2), "f4")
    root.create_group("flat").attrs["weight_names"] = np.array([], "f8")
    file.attrs["model_config"] = json.dumps(MODEL)


def variables(file: h5py.File) -> None:
    group = file.create_group("layers/dense/vars")
    group.attrs["name"] = "head"
    half = group.create_dataset("0", data=np.zeros((2, 2), "V2"))
    half.attrs["dtype"] = "bfloat16"
    file["optimizer/vars/0"] = np.int64(3)


MODEL = {
    "class_name": "Sequential",
    "config": {
        "name": "s",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "in"}},
            {"class_name": "Dense", "module": "keras.layers", "config": {"name": "head", "use_bias": True}},
            {"class_name": "LSTM", "config": {"name": "rnn"}},
            {
                "class_name": "Bidirectional",
                "config": {"name": "b", "layer": {"class_name": "GRU", "config": {"name": "g"}}},
            },
            {
                "class_name": "Lambda",
                "config": {"name": "l", "function": ["4wEA", None, None], "function_type": "lambda"},
            },
            {"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
            {"class_name": "function", "module": "os", "config": "system", "registered_name": "a>b"},
        ],
    },
}

PATHS = [
    "layers/dense/vars/0",
    "layers/lstm/cell/vars/2",
    "layers/bidirectional/forward_layer/cell/vars/1",
    "x\\vars/9",
]


def main() -> None:
    makers: list[Callable[[h5py.File], None]] = [plain, chunks, links, outside, circle, legacy, variables]
    folder = ROOT / "hdf5_file"
    folder.mkdir(parents=True, exist_ok=True)
    for make in makers:
        for version in ["earliest", "latest"]:
            with h5py.File(folder / f"{make.__name__}-{version}.h5", "w", libver=version) as file:
                make(file)
    folder = ROOT / "keras_config"
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(PATHS):
        (folder / f"model-{number}.txt").write_text(f"{path}\n{json.dumps(MODEL)}")
    (folder / "empty.txt").write_text("layers/a/vars/0\n{}")


if __name__ == "__main__":
    main()
