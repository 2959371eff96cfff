"""A small model of every family of layers, and of every way in which layers are put together."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

Model = Any


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


def lines() -> Model:
    """Convolutions in one dimension."""
    return keras.Sequential(
        [
            keras.Input((9, 3)),
            layers.Conv1D(4, 3),
            layers.DepthwiseConv1D(2, depth_multiplier=2),
            layers.SeparableConv1D(5, 2, use_bias=False),
            layers.Conv1DTranspose(3, 2),
            layers.Conv1D(4, 1, groups=1, dilation_rate=2),
        ]
    )


def volumes() -> Model:
    """Convolutions in three dimensions."""
    return keras.Sequential(
        [keras.Input((4, 4, 4, 2)), layers.Conv3D(3, 2), layers.Conv3DTranspose(2, 2), layers.GlobalMaxPooling3D()]
    )


def recurrent() -> Model:
    inputs = keras.Input((7,), dtype="int32")
    x = layers.Embedding(11, 6)(inputs)
    x = layers.LSTM(5, return_sequences=True)(x)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
    x = layers.SimpleRNN(3, return_sequences=True)(x)
    x = layers.TimeDistributed(layers.Dense(2))(x)
    return keras.Model(inputs, x)


def recurrent_images() -> Model:
    """Recurrent layers whose states are lines, images and volumes."""
    inputs = keras.Input((2, 4, 4, 4, 1))
    x = layers.ConvLSTM3D(2, 2, return_sequences=True)(inputs)
    x = layers.Reshape((2, 9, 3, 2))(x)
    x = layers.ConvLSTM2D(2, 2, return_sequences=True, use_bias=False)(x)
    x = layers.Reshape((2, 16, 2))(x)
    return keras.Model(inputs, layers.ConvLSTM1D(3, 2)(x))


def cells() -> Model:
    """Cells that somebody put into a layer, one alone and several."""
    inputs = keras.Input((5, 3))
    x = layers.RNN(layers.GRUCell(4, reset_after=False), return_sequences=True)(inputs)
    x = layers.RNN([layers.LSTMCell(3), layers.SimpleRNNCell(2)], return_sequences=True)(x)
    return keras.Model(inputs, layers.Bidirectional(layers.LSTM(2), backward_layer=backward())(x))


def backward() -> Any:
    return layers.LSTM(2, go_backwards=True, use_bias=False)


def attention() -> Model:
    inputs = keras.Input((5, 8))
    x = layers.MultiHeadAttention(num_heads=2, key_dim=4)(inputs, inputs)
    x = layers.LayerNormalization()(x + inputs)
    x = layers.Dropout(0.1)(x)
    return keras.Model(inputs, layers.Dense(3, name="head")(x))


def attentions() -> Model:
    """Every other kind of attention."""
    inputs = keras.Input((5, 8))
    x = layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)(inputs, inputs)
    x = layers.Attention(use_scale=True, score_mode="concat")([x, inputs])
    x = layers.AdditiveAttention()([x, inputs])
    return keras.Model(inputs, layers.EinsumDense("abc,cd->abd", output_shape=(None, 3), bias_axes="d")(x))


def normalisations() -> Model:
    return keras.Sequential(
        [
            keras.Input((6, 6, 4)),
            layers.SpectralNormalization(layers.Conv2D(4, 3)),
            layers.BatchNormalization(scale=False),
            layers.LayerNormalization(center=False),
            layers.RMSNormalization(),
            layers.GroupNormalization(2, scale=False),
            layers.UnitNormalization(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


def preprocessing() -> Model:
    """Layers that learn from the data before the training."""
    scaled = layers.Normalization()
    scaled.adapt(np.arange(12, dtype=np.float32).reshape(4, 3) ** 2)
    return keras.Sequential([keras.Input((3,)), scaled, layers.Rescaling(0.5), layers.Dense(2)])


def nested() -> Model:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(4)], name="inner")
    shared = layers.Dense(4, name="shared")
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(1)(shared(shared(inner(inputs)))))


def deeply_nested() -> Model:
    """A model in a model in a model, and one model twice."""
    values = keras.Input((4,))
    innermost = keras.Model(values, layers.BatchNormalization()(layers.Dense(4)(values)), name="innermost")
    middle = keras.Sequential([keras.Input((4,)), innermost, layers.Dense(4)], name="middle")
    inputs = keras.Input((4,))
    once = middle(inputs)
    return keras.Model(inputs, layers.Dense(2)(layers.Add()([once, middle(once)])))


def random() -> Model:
    """Layers with a generator of random numbers, whose state is saved as well."""
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.RandomFlip(seed=3),
            layers.GaussianNoise(0.1),
            layers.SpatialDropout2D(0.2),
            layers.Flatten(),
            layers.AlphaDropout(0.1),
            layers.Dense(2),
        ]
    )


@keras.saving.register_keras_serializable("Families")
class Scale(layers.Layer):
    """A layer of one's own, that saves its variables under names of its own."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.factor = self.add_weight(shape=input_shape[-1:], name="factor")
        self.offset = self.add_weight(shape=(1,), name="offset")
        self.built = True

    def call(self, values: Any) -> Any:
        return values * self.factor + self.offset

    def save_own_variables(self, store: Any) -> None:
        store["factor"], store["moved by"] = self.factor.numpy(), self.offset.numpy()

    def load_own_variables(self, store: Any) -> None:
        self.factor.assign(store["factor"])
        self.offset.assign(store["moved by"])


@keras.saving.register_keras_serializable("Families")
class Tower(keras.Model):
    """A model whose layers are attributes, in lists and in lists of lists."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.first = Scale()
        self.blocks = [[layers.Dense(4), layers.Dense(4)], [layers.Dense(4)]]
        self.named = {"last": layers.Dense(2)}

    def build(self, input_shape: tuple[int, ...]) -> None:
        for layer in [self.first, *self.blocks[0], *self.blocks[1], self.named["last"]]:
            layer.build((None, 4))
        self.built = True

    def call(self, values: Any) -> Any:
        for layer in [self.first, *self.blocks[0], *self.blocks[1], self.named["last"]]:
            values = layer(values)
        return values


def own() -> Model:
    inputs = keras.Input((4,))
    return keras.Model(inputs, Tower()(Scale()(inputs)))


def mixed() -> Model:
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype="bfloat16"), layers.Dense(2, dtype="float16")])


FAMILIES: dict[str, Callable[[], Model]] = {
    each.__name__: each
    for each in (
        dense,
        convolutions,
        lines,
        volumes,
        recurrent,
        recurrent_images,
        cells,
        attention,
        attentions,
        normalisations,
        preprocessing,
        nested,
        deeply_nested,
        random,
        own,
        mixed,
    )
}
