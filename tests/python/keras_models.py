"""Models with weights that differ from one another, and what their files hold."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras_families as families
import numpy as np
from keras_families import FAMILIES, Model

keras = families.keras


def is_weight(variable: object) -> bool:
    """No counter, and no state of a generator."""
    return str(getattr(variable, "dtype", "")).removeprefix("b").startswith("float")


def fill(model: Model) -> Model:
    """Gives every variable values of its own, so that no two can be mistaken for one another."""
    rng = np.random.default_rng(7)
    for variable in filter(is_weight, model.variables):
        values = rng.normal(size=variable.shape).astype(np.float32) * 0.3
        variable.assign(np.abs(values) + 0.1 if "variance" in variable.path else values)
    return model


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
