#!/usr/bin/env python3
"""Write the seeds of the fuzz targets compressed_source and tar_archive: small, sound and hostile.

    tools/make_container_corpus.py [fuzz/corpus]

The output is the same on every run with the same libraries. lz4 frames are written by hand, since
Python has no module for them.
"""

import bz2
import gzip
import io
import lzma
import pathlib
import pickle
import struct
import sys
import tarfile
import zlib

TEXT = b"weighbridge " * 40
PICKLE = pickle.dumps({"a": [1, 2, 3]}, protocol=2)


def lz4_frame(content):
    """One frame of one stored block: version 1, independent blocks, no checksums but the header's."""
    header_checksum = b"\x82"  # the second byte of XXH32 of 60 40
    block = struct.pack("<I", 0x80000000 | len(content)) + content
    return b"\x04\x22\x4d\x18\x60\x40" + header_checksum + block + struct.pack("<I", 0)


def zfile(content, claimed=None):
    length = hex(len(content) if claimed is None else claimed)
    return b"ZF" + length.ljust(19).encode() + zlib.compress(content)


def compressed_seeds():
    sound = {
        "zlib": zlib.compress(TEXT),
        "gzip": gzip.compress(TEXT, mtime=0),
        "bzip2": bz2.compress(TEXT),
        "xz": lzma.compress(TEXT, preset=0),
        "lzma": lzma.compress(TEXT, format=lzma.FORMAT_ALONE, preset=0),
        "lz4": lz4_frame(TEXT),
        "zfile": zfile(TEXT),
    }
    yield from sound.items()
    for name in ("gzip", "bzip2", "xz", "lz4"):
        yield f"{name}_twice", sound[name] * 2
    for name, data in sound.items():
        yield f"{name}_cut", data[: len(data) * 2 // 3]
    yield "gzip_padded", sound["gzip"] + bytes(64)
    yield "gzip_garbage", sound["gzip"] + b"garbage"
    yield "zlib_bomb", zlib.compress(bytes(2 << 20), 9)
    yield "bzip2_bomb", bz2.compress(bytes(2 << 20))
    yield "xz_bomb", lzma.compress(bytes(2 << 20))
    yield "lzma_dictionary", sound["lzma"][:1] + b"\xff\xff\xff\xff" + sound["lzma"][5:]
    yield "zfile_long", zfile(TEXT, 0xFFFFFFFFFFFFFFFF)
    yield "zfile_python2", zfile(TEXT)[:21] + b" " + zlib.compress(TEXT)


def tar_of(members, tar_format=tarfile.USTAR_FORMAT):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tar_format) as archive:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()[: 4096 + 1024]


def torch_class(name):
    return b"ctorch\n" + name + b"\n"


def torch_tar():
    """What torch 0.1.1 wrote for {'w': tensor} with one tensor of two floats."""
    key = b"\x80\x02" + b"(K\x01X\x03\0\0\0cpu" + torch_class(b"FloatStorage") + b"t."
    storages = b"\x80\x02K\x01." + key + struct.pack("<q", 2) + struct.pack("<2f", 1, 2) + b"\x80\x02]."
    head = b"\x80\x02" + b"(K\x02K\x01" + torch_class(b"FloatTensor") + b"t."
    tensors = b"\x80\x02K\x01." + head + struct.pack("<ii", 1, 0) + struct.pack("<3q", 2, 1, 0)
    sys_info = pickle.dumps({"protocol_version": 1000, "little_endian": True}, protocol=2)
    members = {"sys_info": sys_info, "storages": storages, "tensors": tensors}
    members["pickle"] = b"\x80\x02}X\x01\0\0\0wX\x01\0\0\x002Qs."
    return [(name, content, tarfile.REGTYPE) for name, content in members.items()]


def tar_seeds():
    regular = ("model.pkl", PICKLE, tarfile.REGTYPE)
    torch = torch_tar()
    yield "torch", tar_of(torch)
    yield "torch_more", tar_of([*torch, ("setup.py", b"", tarfile.REGTYPE)])
    yield "one", tar_of([regular])
    yield "folder", tar_of([("a", b"", tarfile.DIRTYPE), ("a/model.pkl", PICKLE, tarfile.REGTYPE)])
    yield "two", tar_of([regular, ("b.pkl", PICKLE, tarfile.REGTYPE)])
    yield "twice", tar_of([regular, regular])
    yield "gzip", tar_of([("model.pkl.gz", gzip.compress(PICKLE, mtime=0), tarfile.REGTYPE)])
    yield "symlink", tar_of([("storages", b"", tarfile.SYMTYPE)])
    yield "hardlink", tar_of([("storages", b"", tarfile.LNKTYPE)])
    yield "device", tar_of([("storages", b"", tarfile.CHRTYPE)])
    yield "pax", tar_of([("n" * 120, PICKLE, tarfile.REGTYPE)], tarfile.PAX_FORMAT)
    yield "gnu", tar_of([("n" * 120, PICKLE, tarfile.REGTYPE)], tarfile.GNU_FORMAT)
    yield "no_end", tar_of([regular])[:1024]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "fuzz/corpus")
    for target, seeds in (("compressed_source", compressed_seeds()), ("tar_archive", tar_seeds())):
        folder = root / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds:
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
