"""Layers of Keras that look words up: they work with TensorFlow alone, and keep their words beside the weights."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import zipfile
from pathlib import Path
from typing import Any

import keras
import keras_models as models
import numpy as np
import pytest
import tensorflow as tf
from arrays import read
from keras import layers

from cli import Weighbridge

WORDS = ["a weight", "a bridge", "a weighbridge weighs", "weights"]


@pytest.fixture(scope="module")
def weighbridge() -> Weighbridge:
    return Weighbridge(os.environ["WEIGHBRIDGE_CLI"])


def inverse_frequencies() -> Any:
    layer = layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(WORDS)
    return layer


def words() -> Any:
    layer = layers.StringLookup(output_mode="multi_hot")
    layer.adapt([text.split()[-1] for text in WORDS])
    return layer


def numbers() -> Any:
    return layers.IntegerLookup(vocabulary=[3, 5, 8], output_mode="one_hot")


def hashes() -> Any:
    return layers.Hashing(7, output_mode="one_hot")


def buckets() -> Any:
    layer = layers.Discretization(num_bins=3, output_mode="one_hot")
    layer.adapt(np.arange(9, dtype=np.float32))
    return layer


TEXTS = tf.constant([["a bridge"], ["weights"], ["of another kind"]])
NUMBERS = tf.constant([[3], [8], [9]])
MADE = {
    "inverse_frequencies": (inverse_frequencies, "string", TEXTS),
    "words": (words, "string", TEXTS),
    "numbers": (numbers, "int64", NUMBERS),
    "hashes": (hashes, "string", TEXTS),
    "buckets": (buckets, "float32", tf.cast(NUMBERS, "float32")),
}


def build(make: Any, dtype: str) -> Any:
    """The layer, a dense one behind it, and weights that differ from one another."""
    inputs = keras.Input((1,), dtype=dtype)
    return models.fill(keras.Model(inputs, layers.Dense(2)(make()(inputs))))


@pytest.mark.parametrize("name", list(MADE))
def test_there_and_back(weighbridge: Weighbridge, tmp_path: Path, name: str) -> None:
    make, dtype, example = MADE[name]
    source, tensors, made = (tmp_path / each for each in ("in.keras", "out.safetensors", "made.keras"))
    model = build(make, dtype)
    model.save(source)
    assert weighbridge.json("scan", source)["files"][0]["verdict"] == "clean"
    weighbridge.ok("convert", source, "-o", tensors)
    with zipfile.ZipFile(source) as archive:
        inner = models.datasets(Path(archive.extract("model.weights.h5", tmp_path)))
        assets = {each: archive.read(each) for each in archive.namelist() if each.startswith("assets/")}
    assert {key: (each.shape, each.content) for key, each in read(tensors).items()} == {
        key: (each.shape, each[()].tobytes()) for key, each in inner.items()
    }
    other = build(make, dtype)
    other.layers[-1].kernel.assign_add(tf.ones_like(other.layers[-1].kernel))
    other.save(tmp_path / "form.keras")
    weighbridge.ok("convert", tensors, "--to", "keras", "--template", tmp_path / "form.keras", "-o", made)
    with zipfile.ZipFile(made) as archive:
        assert {each: archive.read(each) for each in archive.namelist() if each.startswith("assets/")} == assets
    assert np.array_equal(keras.models.load_model(made)(example), model(example))
