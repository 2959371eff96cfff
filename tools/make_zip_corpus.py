#!/usr/bin/env python3
"""Write the seeds of the fuzz target zip_directory: small archives, sound and hostile.

    tools/make_zip_corpus.py [fuzz/corpus/zip_directory]

The output is the same on every run with the same zlib.
"""

import io
import pathlib
import struct
import sys
import zipfile
import zlib

PICKLE = b"\x80\x02}q\x00."


class Entry:
    """One entry; `local` and `central` replace fields of its two headers."""

    def __init__(self, name, data=PICKLE, method=0, zip64=False, attributes=0, local=None, central=None):
        self.name = name.encode() if isinstance(name, str) else name
        self.data, self.method, self.zip64, self.attributes = data, method, zip64, attributes
        self.local, self.central = local or {}, central or {}

    def packed(self):
        if self.method != 8:
            return self.data
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.data) + packer.flush()

    def fields(self, lies):
        values = {
            "name": self.name,
            "flags": 0x0800,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "packed": len(self.packed()),
            "size": len(self.data),
            "extra": b"",
            "disk": 0,
        }
        values.update(lies)
        return values


def local_header(entry, offset, torch):
    f = entry.fields(entry.local)
    if torch:
        f.update(flags=f["flags"] | 8, crc=0, packed=0, size=0)
        padding = -(offset + 34 + len(f["name"])) % 64
        f["extra"] = b"FB" + struct.pack("<H", padding) + b"Z" * padding
    elif entry.zip64:
        f["extra"] = struct.pack("<HHQQ", 1, 16, f["size"], f["packed"])
        f["size"] = f["packed"] = 0xFFFFFFFF
    head = struct.pack(
        "<4sHHHIIIIHH",
        b"PK\3\4",
        0,
        f["flags"],
        f["method"],
        0,
        f["crc"],
        f["packed"],
        f["size"],
        len(f["name"]),
        len(f["extra"]),
    )
    return head + f["name"] + f["extra"]


def central_header(entry, offset):
    f = entry.fields(entry.central)
    offset = f.get("offset", offset)
    if entry.zip64:
        f["extra"] = f["extra"] or struct.pack("<HHQQQ", 1, 24, f["size"], f["packed"], offset)
        f["size"] = f["packed"] = offset = 0xFFFFFFFF
    head = struct.pack(
        "<4sHHHHIIIIHHHHHII",
        b"PK\1\2",
        0x314,
        0,
        f["flags"],
        f["method"],
        0,
        f["crc"],
        f["packed"],
        f["size"],
        len(f["name"]),
        len(f["extra"]),
        0,
        f["disk"],
        0,
        entry.attributes,
        offset,
    )
    return head + f["name"] + f["extra"]


def end_record(count, size, offset, comment=b"", disk=0):
    return struct.pack("<4sHHHHIIH", b"PK\5\6", disk, disk, count, count, size, offset, len(comment)) + comment


def archive(*entries, torch=False, zip64_end=False, prefix=b"", comment=b"", suffix=b"", end=None):
    out, directory = prefix, b""
    for entry in entries:
        directory += central_header(entry, len(out))
        out += local_header(entry, len(out), torch) + entry.packed()
        if torch:
            out += struct.pack("<4sIII", b"PK\7\x08", zlib.crc32(entry.data), len(entry.packed()), len(entry.data))
    values = {"count": len(entries), "size": len(directory), "offset": len(out), "disk": 0}
    values.update(end or {})
    out += directory
    plain = (values["count"], values["size"], values["offset"])
    if torch or zip64_end:
        record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, plain[0], *plain)
        out += record + struct.pack("<4sIQI", b"PK\6\7", 0, len(out), 1)
    if zip64_end:
        plain = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    return out + end_record(*plain, comment, values["disk"]) + suffix


def by_zipfile(method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as written:
        for name, data in (("m/data.pkl", PICKLE), ("m/data/0", bytes(64)), ("m/version", b"3\n")):
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            written.writestr(info, data)
    return buffer.getvalue()


def sound():
    model = [
        Entry("m/data.pkl"),
        Entry("m/byteorder", b"little"),
        Entry("m/data/0", bytes(16)),
        Entry("m/version", b"3\n"),
    ]
    text = b"weights " * 40
    yield "torch", archive(*model, torch=True)
    yield "torch_empty_storage", archive(Entry("m/data.pkl"), Entry("m/data/0", b""), torch=True)
    yield "torch_deflated", archive(Entry("m/data.pkl", method=8), Entry("m/data/0", bytes(300), method=8), torch=True)
    yield "plain", archive(*model)
    yield "python_stored", by_zipfile(zipfile.ZIP_STORED)
    yield "python_deflated", by_zipfile(zipfile.ZIP_DEFLATED)
    yield "zip64", archive(Entry("m/data.pkl", zip64=True), Entry("m/x", text, 8, zip64=True), zip64_end=True)
    yield "empty", archive()
    yield "folder", archive(Entry("m/", b"", attributes=0o40755 << 16), Entry("m/data.pkl"))
    yield "no_crc", archive(Entry("a", local={"crc": 0}, central={"crc": 0}))
    yield "comment", archive(Entry("a"), comment=b"a comment")
    yield "nested", archive(Entry("inner.zip", archive(Entry("a"))))
    yield "extra_fields", archive(Entry("a", central={"extra": struct.pack("<HH5s", 0x5455, 5, b"time!") + b"\0\0"}))


def hostile():
    yield "duplicate", archive(Entry("m/data.pkl"), Entry("m/data.pkl", b"evil"))
    yield "case_duplicate", archive(Entry("m/data.pkl"), Entry("m/DATA.PKL", b"evil"))
    yield "local_name", archive(Entry("m/data.pkl", local={"name": b"m/datap.kl"}))
    yield "local_flags", archive(Entry("a", local={"flags": 0x21}))
    yield "local_sizes", archive(Entry("a", local={"size": 3, "packed": 3}))
    yield "encrypted", archive(Entry("a", central={"flags": 1}))
    yield "wrong_crc", archive(Entry("a", local={"crc": 7}, central={"crc": 7}))
    yield "bzip2", archive(Entry("a", b"BZh9", method=12))
    yield "backslash", archive(Entry("m\\data.pkl"))
    yield "nul_in_name", archive(Entry(b"m/data.pkl\0.txt"))
    yield "unsafe_names", archive(Entry("/etc/passwd"), Entry("../x"), Entry("C:/x"), Entry(b"caf\xe9"))
    yield "prefix", archive(Entry("a"), prefix=b"x" * 40)
    yield "prefix_signature", archive(Entry("a"), prefix=b"PK\3\4" + b"x" * 40)
    yield "suffix", archive(Entry("a"), suffix=b"x" * 50)
    yield "second_archive", archive(Entry("a")) + archive(Entry("b"))
    first = archive(Entry("a"))
    yield "end_in_comment", archive(Entry("a"), comment=end_record(0, 0, len(first)))
    yield "short_stored", archive(Entry("a", bytes(8), central={"size": 16}))
    yield "huge_sizes", archive(Entry("a", zip64=True, central={"size": 2**64 - 1, "packed": 2**64 - 1}))
    yield "huge_offset", archive(Entry("a", zip64=True, central={"offset": 2**64 - 1}))
    yield "directory_past_end", archive(Entry("a"), end={"offset": 2**32 - 16})
    yield "too_many_entries", archive(Entry("a"), zip64_end=True, end={"count": 2**63})
    yield "one_header_twice", archive(Entry("a"), Entry("a", central={"offset": 0}))
    yield (
        "quoted_header",
        archive(
            Entry("q", b"", local={"size": 39, "packed": 39}, central={"size": 39, "packed": 39}), Entry("a", bytes(8))
        ),
    )
    yield "symlink", archive(Entry("m/data.pkl", b"/etc/passwd", attributes=0o120777 << 16))
    yield "second_disk", archive(Entry("a"), end={"disk": 1})
    yield "entry_on_second_disk", archive(Entry("a", central={"disk": 1}))
    yield "bomb", archive(Entry("bomb", bytes(3 << 20), method=8))
    size = {"size": 5}
    yield "deflate_too_short", archive(Entry("a", b"1234", 8, local=size, central=size))
    size = {"size": 3}
    yield "deflate_too_long", archive(Entry("a", b"1234", 8, local=size, central=size))
    yield "deflate_damaged", archive(Entry("a", b"\xff" * 8, local={"method": 8}, central={"method": 8}))
    path = struct.pack("<HHBI", 0x7075, 9, 1, 0) + b"evil"
    yield "unicode_path", archive(Entry("good", central={"extra": path}))
    yield "cut_short", archive(Entry("a"))[:-1]


def main():
    default = pathlib.Path(__file__).parent.parent / "fuzz/corpus/zip_directory"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (*sound(), *hostile()):
        (folder / f"{name}.zip").write_bytes(data)


if __name__ == "__main__":
    main()
