"""Cases 1 to 22: archives that readers do not agree about."""

from __future__ import annotations

import dataclasses
import struct

from case import ALARM, Case
from checkpoints import FOUR_FLOATS, WEIGHT, entries, storage, tensor, zipped
from pickles import SYSTEM, dump
from zips import BZIP2, DEFLATED, SYMLINK, Entry, Zip, end_record, zeros_deflated

ARCHIVE = ("MalformedArchive",)
CHECKPOINT = ("MalformedCheckpoint",)
UNSUPPORTED = ("Unsupported",)
UNKNOWN = ("UnknownFormat",)
EVIL = dump(SYSTEM)


def with_data(**changes: object) -> bytes:
    """The honest archive, with its data.pkl described differently."""
    first, *rest = entries()
    return Zip([dataclasses.replace(first, **changes), *rest]).build()


def with_storage(**changes: object) -> bytes:
    """The honest archive, with its one storage described differently."""
    made = entries()
    made[2] = dataclasses.replace(made[2], **changes)
    return Zip(made).build()


def duplicates(last_is_evil: bool) -> bytes:
    honest, *rest = entries()
    evil = Entry(honest.name, EVIL)
    return Zip([honest, *rest, evil] if last_is_evil else [evil, *rest, honest]).build()


def capitals(alone: bool) -> bytes:
    first, *rest = entries()
    shouted = Entry("archive/DATA.PKL", first.data if alone else EVIL)
    return Zip([*([] if alone else [first]), *rest, shouted]).build()


def all_deflated() -> bytes:
    return Zip([dataclasses.replace(entry, method=DEFLATED) for entry in entries()]).build()


def two_roots() -> bytes:
    return Zip([*entries(), Entry("evil/data.pkl", EVIL)]).build()


def replaced(suffix: str, content: bytes | None) -> bytes:
    """The honest archive with other content in one record, or without it."""
    made = [entry for entry in entries() if not str(entry.name).endswith(suffix)]
    return Zip([*made, *([] if content is None else [Entry("archive/" + suffix, content)])]).build()


def big_endian() -> bytes:
    made = entries(records={"0": struct.pack(">4f", 1, 2, 3, 4)})
    made[1] = Entry("archive/byteorder", b"big")
    return Zip(made).build()


def short_storage(record: bytes) -> bytes:
    return zipped(records={"0": record})


def numel(count: int) -> bytes:
    return zipped({"weight": tensor(storage("0", count), (8,))})


def huge_zip64_sizes() -> bytes:
    all_ones = struct.pack("<QQ", (1 << 64) - 1, (1 << 64) - 1)
    return with_storage(size=0xFFFFFFFF, packed_size=0xFFFFFFFF, zip64=all_ones, local_sizes=False)


def overlapping() -> bytes:
    made = entries(records={"0": FOUR_FLOATS, "1": FOUR_FLOATS})
    return Zip([*made[:3], dataclasses.replace(made[3], name="archive/data/1", offset=0), made[4]]).build()


def quoted() -> bytes:
    """A stored entry whose bytes hold the whole local header and data of the next."""
    inner = Entry("archive/data/1", FOUR_FLOATS)
    whole = Zip([inner]).build()
    header = whole[: 30 + len(inner.name) + len(FOUR_FLOATS)]
    made = entries(records={"0": header})
    at = sum(30 + len(entry.name) + len(entry.stored()) for entry in made[:2]) + 30 + len("archive/data/0")
    return Zip([*made, dataclasses.replace(inner, offset=at)]).build()


def into_directory() -> bytes:
    made = entries()
    return Zip([*made[:-1], dataclasses.replace(made[-1], size=4096, packed_size=4096)]).build()


TEN_GIBIBYTES = {"size": 10 << 30, "zip64": struct.pack("<Q", 10 << 30), "local_sizes": False}


def bomb() -> bytes:
    packed = zeros_deflated(10 * 1024)
    state = {"weight": tensor(storage("0", 10 << 28), (10 << 28,))}
    made = entries(state, {"0": b""})
    made[2] = Entry("archive/data/0", b"", DEFLATED, packed=packed, **TEN_GIBIBYTES)
    return Zip(made).build()


def data_bomb() -> bytes:
    """The pickle itself inflates to 10 GiB; its first opcode is MARK, and so are all the others."""
    packed = zeros_deflated(10 * 1024)
    return with_data(data=b"", method=DEFLATED, packed=packed, **TEN_GIBIBYTES)


def lying_bomb() -> bytes:
    """The directory says 16 bytes; the stream goes on for 64 MiB."""
    return with_storage(method=DEFLATED, packed=zeros_deflated(64), data=FOUR_FLOATS)


def second_end(consistent: bool) -> bytes:
    """An end record in the comment of the true one. A consistent one describes an archive of its own."""
    if not consistent:
        return Zip(entries(), comment=end_record(1, 46, 99999)).build()
    hidden = Zip(entries({"weight": SYSTEM}))
    offset = len(Zip(entries()).build())
    return Zip(entries(), comment=shifted(hidden.build(), offset)).build()


def shifted(archive: bytes, by: int) -> bytes:
    """The archive with offsets that count from the start of a file in which it lies at `by`."""
    moved = bytearray(archive)
    end = len(moved) - 22
    length, start = struct.unpack_from("<II", moved, end + 12)
    struct.pack_into("<I", moved, end + 16, start + by)
    at = start
    while at < start + length:
        (offset,) = struct.unpack_from("<I", moved, at + 42)
        struct.pack_into("<I", moved, at + 42, offset + by)
        at += 46 + struct.unpack_from("<H", moved, at + 28)[0]
    return bytes(moved)


def many_entries(zip64: bool) -> bytes:
    extra = [Entry(f"archive/extra/{i}", b"") for i in range(65_536 if zip64 else 60_000)]
    return Zip([*entries(), *extra], zip64_end=zip64).build()


def folder_as_storage() -> bytes:
    return with_storage(name="archive/data/0/", data=b"", crc=0)


ZIP_CASES = [
    Case(1, "evil-last", "two data.pkl; torch runs the second", lambda: duplicates(True), ARCHIVE, scan=ALARM),
    Case(1, "evil-first", "two data.pkl; torch runs the first", lambda: duplicates(False), ARCHIVE, scan=ALARM),
    Case(2, "beside", "DATA.PKL beside data.pkl; torch runs the former", lambda: capitals(False), ARCHIVE, scan=ALARM),
    Case(2, "alone", "DATA.PKL alone, which torch takes for data.pkl", lambda: capitals(True), UNKNOWN),
    Case(3, "local-name", "datap.kl in the local header", lambda: with_data(local_name="archive/datap.kl"), ARCHIVE),
    Case(4, "local-flags", "encrypted in the local header alone", lambda: with_data(local_flags=0x21), ARCHIVE),
    Case(5, "encrypted", "encrypted in the directory", lambda: with_data(flags=0x1), UNSUPPORTED),
    Case(6, "wrong-crc", "a checksum that torch never looks at", lambda: with_data(crc=0x12345678),
         tensors=WEIGHT, findings=("CrcMismatch",)),
    Case(6, "no-crc", "checksums switched off", lambda: with_data(crc=0), tensors=WEIGHT, findings=("NoChecksum",)),
    Case(7, "bzip2", "a method that torch does not read", lambda: with_data(method=BZIP2), UNSUPPORTED),
    Case(8, "deflated", "packed again by somebody's zip program", all_deflated, tensors=WEIGHT),
    Case(9, "two-roots", "a second folder with a second data.pkl", two_roots, ARCHIVE, scan=ALARM),
    Case(10, "no-root", "records without a folder", lambda: Zip(entries(root="")).build(), tensors=WEIGHT),
    Case(11, "backslash", "a path of another system", lambda: with_storage(name="archive\\data\\0"), ARCHIVE),
    Case(12, "dots", "an entry that climbs out of its folder; nobody refers to it",
         lambda: Zip([*entries(), Entry("archive/../../evil", b"x")]).build(),
         tensors=WEIGHT, findings=("UnsafeName",)),
    Case(12, "dots-referenced", "a storage that climbs out of its folder",
         lambda: zipped({"weight": tensor(storage("../0"))}, {"../0": FOUR_FLOATS}), CHECKPOINT),
    Case(12, "absolute", "an entry with an absolute path", lambda: Zip([*entries(), Entry("/etc/evil", b"x")]).build(),
         ARCHIVE),
    Case(13, "prefix", "40 bytes before the archive", lambda: Zip(entries(), prefix=b"\n" * 40).build(),
         ("UnknownFormat", "MalformedPickle"), scan=(0, 1)),
    Case(13, "signature-prefix", "a local header of nothing before the archive",
         lambda: Zip(entries(), prefix=b"PK\3\4" + b"junk" * 9).build(), ARCHIVE),
    Case(13, "suffix", "50 bytes behind the archive", lambda: Zip(entries(), suffix=b"j" * 50).build(),
         tensors=WEIGHT, findings=("TrailingBytes",)),
    Case(14, "version-99", "from the future", lambda: replaced("version", b"99\n"), CHECKPOINT),
    Case(14, "no-version", "of no version", lambda: replaced("version", None),
         tensors=WEIGHT, findings=("MissingVersion",)),
    Case(15, "short", "half a storage; torch fills up with what was in memory",
         lambda: short_storage(FOUR_FLOATS[:8]), CHECKPOINT),
    Case(15, "long", "a storage with hidden bytes", lambda: short_storage(FOUR_FLOATS * 2), CHECKPOINT),
    Case(16, "numel-8", "8 elements over 4: a read of foreign memory", lambda: numel(8), CHECKPOINT),
    Case(16, "numel-2-60", "2^60 elements", lambda: numel(1 << 60), CHECKPOINT),
    Case(16, "numel-2-63", "a number of elements that is none in 64 bits", lambda: numel(1 << 63), CHECKPOINT),
    Case(16, "numel-negative", "-1 elements", lambda: numel(-1), CHECKPOINT),
    Case(17, "zip64-sizes", "2^64 - 1 bytes", huge_zip64_sizes, ARCHIVE),
    Case(17, "directory-offset", "the directory behind the end",
         lambda: Zip(entries(), directory_offset=1 << 30).build(), ARCHIVE),
    Case(17, "overlap", "two entries over the same bytes", overlapping, ARCHIVE),
    Case(17, "quoted", "an entry within an entry, as zip bombs multiply", quoted, ARCHIVE),
    Case(17, "into-directory", "an entry that reaches into the directory", into_directory, ARCHIVE),
    Case(18, "storage", "10 MB that inflate to 10 GiB", bomb, ("LimitExceeded",)),
    Case(18, "pickle", "a pickle of 10 MB that inflates to 10 GiB", data_bomb, ("LimitExceeded",)),
    Case(18, "lying", "64 MiB behind a size of 16 bytes", lying_bomb, ARCHIVE),
    Case(19, "consistent", "a second archive in the comment of the first", lambda: second_end(True), ARCHIVE,
         scan=ALARM),
    Case(19, "inconsistent", "an end record of nothing in the comment", lambda: second_end(False), ARCHIVE),
    Case(20, "pdp", "the byte order of a PDP-11", lambda: replaced("byteorder", b"pdp"), CHECKPOINT),
    Case(20, "big", "big-endian storages", big_endian, tensors=WEIGHT),
    Case(21, "60000", "very many entries", lambda: many_entries(False), tensors=WEIGHT),
    Case(21, "zip64", "more entries than 16 bits count", lambda: many_entries(True), tensors=WEIGHT),
    Case(22, "symlink", "a storage that is a link to /etc/passwd",
         lambda: with_storage(data=b"/etc/passwd\0\0\0\0\0", attributes=SYMLINK), ARCHIVE),
    Case(22, "folder", "a storage that is a folder", folder_as_storage, CHECKPOINT),
]  # fmt: skip
