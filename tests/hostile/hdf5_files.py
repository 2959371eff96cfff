"""Files of HDF5, written by its own library."""

from __future__ import annotations

import io
from collections.abc import Callable

import h5py
from expected import VALUES


def hdf5(fill: Callable[[h5py.File], object]) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    return buffer.getvalue()


def weights(file: h5py.File) -> None:
    file["layers/dense/vars/0"] = VALUES


def external_link(file: h5py.File) -> None:
    file["out"] = h5py.ExternalLink("/etc/passwd", "/a")
