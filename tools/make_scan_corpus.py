#!/usr/bin/env python3
"""Writes the seeds of the fuzz target `scan` that no other target has: wrapped, packed and nested pickles.

    python3 tools/make_scan_corpus.py [folder]

The pickles are spelled out and never loaded. The default folder is fuzz/corpus/scan.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pathlib
import struct
import sys
import tarfile
import zipfile
import zlib

ATTACK = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."
COMPUTED = b"\x80\x02cmine\nmake\n)R)R."
CODE = b"\x80\x02cmine\nrun\nX\x07\x00\x00\x00eval(x)\x85R."
NOT_TEXT = b"\x80\x04\x8c\x02osK\x07\x93."
LAUGHS = b"(" * 10 + b"S'lol'\n" + (b"2" * 9 + b"l") * 10 + b"."
NESTED = b"\x80\x03ctorch.storage\n_load_from_bytes\nC" + bytes([len(ATTACK)]) + ATTACK + b"\x85R."


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def tarred(**members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def npy(content: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def torch_tar() -> bytes:
    count, views = b"\x80\x02K\x01.", b"\x80\x02]."
    storage = b"\x80\x02K\x07X\x03\x00\x00\x00cpuctorch\nFloatStorage\n\x87." + struct.pack("<q", 1) + bytes(4)
    return tarred(sys_info=b"N.", pickle=b"N.", storages=count + storage + views, tensors=b"\x80\x02K\x00.")


SEEDS = {
    "bzip2": bz2.compress(ATTACK),
    "code_as_argument": CODE,
    "computed_callable": COMPUTED,
    "computed_name": NOT_TEXT,
    "gzip": gzip.compress(ATTACK, mtime=0),
    "laughs": LAUGHS,
    "nested_stream": NESTED,
    "nested_zip": zipped("policy.pth", zipped("archive/data.pkl", ATTACK)),
    "npy_objects": npy(ATTACK),
    "packed": b"7z\xbc\xaf\x27\x1c\x00\x04" + ATTACK + bytes(8),
    "pickle_and_zip": b"N." + zipped("archive/data.pkl", ATTACK),
    "row_of_pickles": b"N." + ATTACK + b"\x00",
    "row_of_zips": zipped("a.pkl", b"N.") + zipped("b.pkl", ATTACK),
    "torch_tar": torch_tar(),
    "xz": lzma.compress(ATTACK),
    "zlib": zlib.compress(ATTACK),
}


def main() -> None:
    default = pathlib.Path(__file__).parents[1] / "fuzz" / "corpus" / "scan"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in SEEDS.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
