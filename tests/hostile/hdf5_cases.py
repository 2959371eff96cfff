"""Case 72: HDF5."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import h5py
import numpy as np
from case import ALARM, Case
from expected import CHECKPOINT, DENSE, LIMIT, OVERFLOW, UNSUPPORTED
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


def changed(made: bytes, before: bytes, after: bytes) -> bytes:
    """A file in which something stands in the place of something else of the same length."""
    assert before in made
    assert len(before) == len(after)
    return made.replace(before, after)


def resized(count: int) -> bytes:
    """A dataset of 12 345 floats, which says that it has others."""
    made = hdf5(lambda file: file.create_dataset("out", data=np.zeros(12_345, "<f4")))
    return changed(made, struct.pack("<Q", 12_345), struct.pack("<Q", count & (1 << 64) - 1))


def custom_link() -> bytes:
    """A link of a class that only the program that made it knows: the first that users may define, and one more."""
    return changed(hdf5(external_link), b"\1\x08\x40\3out", b"\1\x08\x41\3out")


def many_attributes(file: h5py.File) -> None:
    weights(file)
    for i in range(20):
        file["layers/dense/vars/0"].attrs[f"attribute{i:02}"] = i


def unknown_message() -> bytes:
    """An attribute that has become a message of no known type, which nobody may pass over."""
    made = bytearray(hdf5(many_attributes))
    at = made.index(b"attribute07") - 16  # the type, size, flags of the message, and the head of the attribute
    assert made[at : at + 2] == b"\x0c\0"
    made[at : at + 2], made[at + 4] = b"\x30\0", 0x80
    return bytes(made)


def continued_in_itself() -> bytes:
    """An object whose header goes on where it goes on."""
    made = bytearray(hdf5(many_attributes))
    at = made.index(struct.pack("<HHI", 0x10, 16, 0))
    struct.pack_into("<QQ", made, at + 8, at, 24)
    return bytes(made)


def tree_of_itself() -> bytes:
    """A group whose tree of members has itself as a branch."""
    made = bytearray(hdf5(weights))
    at = made.index(b"TREE")
    made[at + 5] = 1  # not a leaf any more
    struct.pack_into("<Q", made, at + 32, at)  # behind the first key
    return bytes(made)


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
    Case(72, "custom-link", "a link of a class that users may define", custom_link, UNSUPPORTED, scan=ALARM),
    Case(72, "dims", "2^64 bytes, which are 0", lambda: resized(1 << 62), OVERFLOW, scan=ALARM),
    Case(72, "dims-more", "one element more than is stored", lambda: resized(12_346), CHECKPOINT, scan=ALARM),
    Case(72, "dims-less", "one element less than is stored", lambda: resized(12_344), CHECKPOINT, scan=ALARM),
    Case(72, "message", "a message that nobody knows nor may pass over", unknown_message, CHECKPOINT, scan=ALARM),
    Case(72, "continuation", "an object's header that goes on in itself", continued_in_itself,
         ("NoTensors", *CHECKPOINT)),
    Case(72, "tree", "a tree that is a branch of itself, which ends libhdf5 and so the worker", tree_of_itself,
         ("WorkerStopped", *CHECKPOINT), scan=ALARM),
    Case(72, "endless-heap", "a heap that libhdf5 never ends to read",
         lambda: (REGRESSIONS / "heap_without_end").read_bytes(), CHECKPOINT, scan=ALARM),
    Case(72, "heap-beyond", "a text larger than its heap",
         lambda: (REGRESSIONS / "heap_object_beyond_its_end").read_bytes(), CHECKPOINT, scan=ALARM),
]  # fmt: skip
