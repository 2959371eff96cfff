"""Case 75: arrays of NumPy."""

from __future__ import annotations

import struct

from case import ALARM, DANGEROUS, Case
from checkpoints import FOUR_FLOATS
from expected import ARCHIVE, CHECKPOINT, DANGER, LIMIT, OVERFLOW, WEIGHT
from pickles import SYSTEM, dump
from zips import DEFLATED, Entry, Zip, zeros_deflated


def npy(descr: str = "<f4", shape: str = "(4,)", data: bytes = FOUR_FLOATS, header: bytes | None = None) -> bytes:
    if header is None:
        header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header = header.ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def npz(*entries: Entry) -> bytes:
    return Zip(list(entries)).build()


ARRAY = {"array": ("F32", [4], FOUR_FLOATS)}
DAMAGE = (*ARCHIVE, *CHECKPOINT)

NUMPY_CASES = [
    Case(75, "honest", "an array", npy, tensors=ARRAY),
    Case(75, "honest-archive", "an archive of one", lambda: npz(Entry("weight.npy", npy())), tensors=WEIGHT),
    Case(75, "objects", "an array of objects whose pickle runs code",
         lambda: npy("|O", data=dump(SYSTEM)), DANGER, scan=DANGEROUS),
    Case(75, "archive-objects", "the same in an archive",
         lambda: npz(Entry("weight.npy", npy("|O", data=dump(SYSTEM)))), DANGER, scan=DANGEROUS),
    Case(75, "expression", "a header that is an expression",
         lambda: npy(header=b"__import__('os').system('touch weighbridge-was-here')"), CHECKPOINT),
    Case(75, "repeated", "a shape of 2^40 by repetition", lambda: npy(shape="(1,) * 1099511627776"), CHECKPOINT),
    Case(75, "deep", "a header of parentheses",
         lambda: b"\x93NUMPY\2\0" + struct.pack("<I", 60_000) + b"(" * 60_000, CHECKPOINT),
    Case(75, "header", "a header of 4 GiB, it says", lambda: b"\x93NUMPY\2\0" + b"\xff" * 4 + b" " * 200,
         (*LIMIT, *CHECKPOINT)),
    Case(75, "overflow", "2^64 elements", lambda: npy(shape="(4294967296, 4294967296)"), OVERFLOW),
    Case(75, "negative", "-4 elements", lambda: npy(shape="(-4,)"), CHECKPOINT),
    Case(75, "short", "more elements than the file has", lambda: npy(shape="(1048576,)"), CHECKPOINT),
    Case(75, "archive-short", "more elements than the entry has",
         lambda: npz(Entry("weight.npy", npy(shape="(1048576,)"))), CHECKPOINT),
    Case(75, "archive-short-deflated", "the same, deflated",
         lambda: npz(Entry("weight.npy", npy(shape="(1048576,)"), DEFLATED)), CHECKPOINT),
    Case(75, "bomb", "4 GiB in 4 MB",
         lambda: npz(Entry("weight.npy", b"", DEFLATED, zeros_deflated(4096), size=4 << 30)), (*LIMIT, *DAMAGE),
         slow=True),
    Case(75, "wrong-crc", "another checksum than that of the data",
         lambda: npz(Entry("weight.npy", npy(), crc=1)), ARCHIVE, message="has the CRC-32", scan=ALARM),
    Case(75, "wrong-crc-deflated", "the same, deflated",
         lambda: npz(Entry("weight.npy", npy(), DEFLATED, crc=1)), ARCHIVE, message="has the CRC-32", scan=ALARM),
    Case(75, "wrong-crc-objects", "code that a wrong checksum does not hide",
         lambda: npz(Entry("weight.npy", npy("|O", data=dump(SYSTEM)), crc=1)), DANGER, scan=DANGEROUS),
    Case(75, "twice", "two entries of one name",
         lambda: npz(Entry("weight.npy", npy()), Entry("weight.npy", npy("|O", data=dump(SYSTEM)))), ARCHIVE,
         scan=ALARM),
]  # fmt: skip
