"""Models of every family of layers, small, with weights that differ from one another."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers

Model = Any


def fill(model: Model) -> Model:
    """Gives every variable values of its own, so that no two can be mistaken for one another."""
    rng = np.random.default_rng(7)
    for variable in model.variables:
        if "seed" in variable.path:
            continue
        values = rng.normal(size=variable.shape).astype(np.float32) * 0.3
        variable.assign(np.abs(values) + 0.1 if "variance" in variable.path else values)
    return model


def dense() -> Model:
    return keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), layers.Dense(2, use_bias=False)])


def convolutions() -> Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.SeparableConv2D(5, 3, padding="same"),
            layers.Conv2DTranspose(3, 2),
            layers.GroupNormalization(groups=3),
            layers.PReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )


def recurrent() -> Model:
    inputs = keras.Input((7,), dtype="int32")
    x = layers.Embedding(11, 6)(inputs)
    x = layers.LSTM(5, return_sequences=True)(x)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
    x = layers.SimpleRNN(3, return_sequences=True)(x)
    x = layers.TimeDistributed(layers.Dense(2))(x)
    return keras.Model(inputs, x)


def attention() -> Model:
    inputs = keras.Input((5, 8))
    x = layers.MultiHeadAttention(num_heads=2, key_dim=4)(inputs, inputs)
    x = layers.LayerNormalization()(x + inputs)
    x = layers.Dropout(0.1)(x)
    return keras.Model(inputs, layers.Dense(3, name="head")(x))


def nested() -> Model:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(4)], name="inner")
    shared = layers.Dense(4, name="shared")
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(1)(shared(shared(inner(inputs)))))


def mixed() -> Model:
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype="bfloat16"), layers.Dense(2, dtype="float16")])


FAMILIES: dict[str, Callable[[], Model]] = {
    "dense": dense,
    "convolutions": convolutions,
    "recurrent": recurrent,
    "attention": attention,
    "nested": nested,
    "mixed": mixed,
}


def build(family: str) -> Model:
    keras.utils.clear_session()
    return fill(FAMILIES[family]())


def datasets(path: Path) -> dict[str, h5py.Dataset]:
    """Every dataset of an HDF5 file by its path; the file stays open with them."""
    found: dict[str, h5py.Dataset] = {}

    def note(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    h5py.File(path).visititems(note)
    return found
