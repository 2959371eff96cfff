"""Case 72: HDF5."""

from __future__ import annotations

import tempfile
from pathlib import Path

import h5py
import numpy as np
from case import ALARM, Case
from expected import CHECKPOINT, DENSE, LIMIT, UNSUPPORTED
from hdf5_files import external_link, hdf5, weights


def outside(kind: str) -> bytes:
    """h5py makes these in files with a name only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.h5"
        with h5py.File(path, "w") as file:
            if kind == "storage":
                file.create_dataset("out", (16,), "u1", external=[("/etc/passwd", 0, 16)])
            else:
                layout = h5py.VirtualLayout((16,), "u1")
                layout[:] = h5py.VirtualSource("other.h5", "data", (16,))
                file.create_virtual_dataset("out", layout)
        return path.read_bytes()


def circle(file: h5py.File) -> None:
    inner = file.create_group("a/b")
    inner["again"] = file["a"]


def soft_link(file: h5py.File) -> None:
    file["out"] = h5py.SoftLink("/nowhere")


def chunk_bomb(file: h5py.File) -> None:
    file.create_dataset("out", (1 << 33,), "f8", chunks=(1 << 20,), compression="gzip")
    file["out"][0:10] = 1


def references(file: h5py.File) -> None:
    weights(file)
    file.create_dataset("out", data=np.array([file["layers"].ref], dtype=h5py.ref_dtype))


REGRESSIONS = Path(__file__).parents[2] / "fuzz/regressions/hdf5_file"

HDF5_CASES = [
    Case(72, "honest", "a dataset", lambda: hdf5(weights), tensors=DENSE),
    Case(72, "external-link", "a link to another file", lambda: hdf5(external_link), UNSUPPORTED, scan=ALARM),
    Case(72, "external-storage", "data that are /etc/passwd", lambda: outside("storage"), UNSUPPORTED, scan=ALARM),
    Case(72, "virtual", "data of another file's dataset", lambda: outside("virtual"), UNSUPPORTED, scan=ALARM),
    Case(72, "soft-link", "a link to nothing", lambda: hdf5(soft_link), CHECKPOINT, scan=ALARM),
    Case(72, "circle", "a group that contains itself", lambda: hdf5(circle), CHECKPOINT, scan=ALARM),
    Case(72, "references", "references to objects", lambda: hdf5(references), UNSUPPORTED, scan=ALARM),
    Case(72, "bomb", "64 GiB in a few hundred bytes", lambda: hdf5(chunk_bomb), LIMIT),
    Case(72, "endless-heap", "a heap that libhdf5 never ends to read",
         lambda: (REGRESSIONS / "heap_without_end").read_bytes(), CHECKPOINT, scan=ALARM),
    Case(72, "heap-beyond", "a text larger than its heap",
         lambda: (REGRESSIONS / "heap_object_beyond_its_end").read_bytes(), CHECKPOINT, scan=ALARM),
]  # fmt: skip
