#!/usr/bin/env python3
"""Writes the seeds of the fuzz target tf_checkpoint with a real TensorFlow: the blocks of its indexes.

python3 tools/make_tensorflow_corpus.py fuzz/corpus
"""

from __future__ import annotations

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import pathlib
import struct
import sys
import tempfile

import numpy as np
import tensorflow as tf

FOOTER_BYTES = 48


def varint(text: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (text[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if text[at - 1] < 0x80:
            return value, at


def handles(index: bytes) -> list[tuple[int, int]]:
    """Where the blocks of entries lie, from the block that says so."""
    footer = index[-FOOTER_BYTES:]
    at = 0
    numbers = []
    for _ in range(4):
        number, at = varint(footer, at)
        numbers.append(number)
    block = index[numbers[2] : numbers[2] + numbers[3]]
    end = len(block) - 4 * (struct.unpack("<I", block[-4:])[0] + 1)
    found, at = [], 0
    while at < end:
        _, at = varint(block, at)
        rest, at = varint(block, at)
        size, at = varint(block, at)
        at += rest
        offset, next_at = varint(block, at)
        found.append((offset, varint(block, next_at)[0]))
        at += size
    return found


def seeds(index: bytes, data: bytes) -> list[bytes]:
    made = []
    for offset, size in handles(index):
        compression = index[offset + size : offset + size + 1]
        made.append(compression + index[offset : offset + size] + data + struct.pack("<HH", 0, len(data)))
    return made


def checkpoints(folder: pathlib.Path) -> dict[str, str]:
    made = {
        "objects": tf.train.Checkpoint(a=tf.Variable([[1.0, 2.0]], name="a"), b=tf.Variable([True])).write(
            str(folder / "o")
        )
    }
    names = [f"variable_{i:03}" for i in range(40)]
    tensors = [tf.constant([i], tf.bfloat16) for i in range(40)]
    tf.raw_ops.SaveV2(prefix=str(folder / "n"), tensor_names=names, shape_and_slices=[""] * 40, tensors=tensors)
    made["names"] = str(folder / "n")
    parts = [np.zeros((1, 2), np.float32), np.ones((2, 2), np.float32)]
    tf.raw_ops.SaveV2(
        prefix=str(folder / "s"), tensor_names=["w", "w"], shape_and_slices=["3 2 0,1:-", "3 2 1,2:-"], tensors=parts
    )
    made["slices"] = str(folder / "s")
    return made


def main() -> None:
    corpus = pathlib.Path(sys.argv[1]) / "tf_checkpoint"
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, prefix in checkpoints(pathlib.Path(folder)).items():
            index = pathlib.Path(prefix + ".index").read_bytes()
            data = pathlib.Path(prefix + ".data-00000-of-00001").read_bytes()
            for i, seed in enumerate(seeds(index, data)):
                (corpus / f"{name}_{i}").write_bytes(seed)


if __name__ == "__main__":
    main()
