"""Cases 61 to 67: files that name other files, and files that are much larger than they look."""

from __future__ import annotations

import bz2
import json
import lzma
import os
import struct
import tarfile
import zlib
from pathlib import Path

from case import Case, Files
from checkpoints import FOUR_FLOATS, storage, tensor, zipped
from pickles import BUILD, EMPTY_TUPLE, NEWOBJ, STOP, Code, call, dump, name, proto, text, value
from zips import zeros_deflated

CHECKPOINT = ("MalformedCheckpoint",)
ARCHIVE = ("MalformedArchive", "MalformedCheckpoint")
LIMIT = ("LimitExceeded",)

# What a reader that follows a bad name would take for the companion: an honest array.
NPY_HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"
NPY = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + NPY_HEADER.ljust(117) + b"\n" + FOUR_FLOATS


# 61: tar


def tar_members() -> dict[str, bytes]:
    """The four members of a checkpoint of 2016 that holds one tensor."""
    storages = dump(1) + dump((0, "cpu", name("torch", "FloatStorage"))) + struct.pack("<q", 4) + FOUR_FLOATS + dump([])
    tensors = dump(1) + dump((1, 0, name("torch", "FloatTensor")))
    tensors += struct.pack("<iiqqqqq", 2, 0, 2, 2, 2, 1, 0)
    return {
        "sys_info": dump({"protocol_version": 1000, "little_endian": True}),
        "pickle": dump({"weight": Code(b"P1\n")}),
        "tensors": tensors,
        "storages": storages,
    }


def header(member: str, size: int, kind: bytes = b"0", link: str = "") -> bytes:
    info = tarfile.TarInfo(member)
    info.size, info.type, info.linkname = size, kind, link
    return info.tobuf(tarfile.GNU_FORMAT)


def tar(replacements: dict[str, bytes]) -> bytes:
    """The honest members, some of them replaced by a header with or without content."""
    packed = b""
    for member, data in tar_members().items():
        packed += replacements.get(member, header(member, len(data)) + data.ljust(-(-len(data) // 512) * 512, b"\0"))
    return packed + bytes(1024)


def pax(member: str, records: dict[str, str]) -> bytes:
    """The honest member under extended headers."""
    data = tar_members()[member]
    info = tarfile.TarInfo(member)
    info.size, info.pax_headers = len(data), records
    return info.tobuf(tarfile.PAX_FORMAT) + data.ljust(-(-len(data) // 512) * 512, b"\0")


def octal_size(digits: bytes) -> bytes:
    """A header whose size is these twelve characters, with a right checksum."""
    made = bytearray(header("storages", 0))
    made[124:136] = digits
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


TAR_CASES = [
    Case(61, "honest", "a checkpoint of 2016", lambda: tar({}), tensors={"weight": ("F32", [2, 2], FOUR_FLOATS)}),
    Case(61, "symlink", "storages that are a link to /etc/passwd",
         lambda: tar({"storages": header("storages", 0, tarfile.SYMTYPE, "/etc/passwd")}), ARCHIVE),
    Case(61, "hard-link", "storages that are a hard link",
         lambda: tar({"storages": header("storages", 0, tarfile.LNKTYPE, "pickle")}), ARCHIVE),
    Case(61, "device", "storages that are a device", lambda: tar({"storages": header("storages", 0, tarfile.CHRTYPE)}),
         ARCHIVE),
    Case(61, "octal", "storages of 8 GiB", lambda: tar({"storages": octal_size(b"77777777777\0")}), ARCHIVE),
    Case(61, "base-256", "storages of 2^63 bytes and more",
         lambda: tar({"storages": octal_size(b"\x80" + b"\xff" * 11)}), ARCHIVE),
    Case(61, "negative", "storages of -1 bytes", lambda: tar({"storages": octal_size(b"\xff" * 12)}), ARCHIVE),
    Case(61, "pax-path", "another name in an extended header",
         lambda: tar({"storages": pax("storages", {"path": "../../etc/passwd"})}), ARCHIVE),
    Case(61, "pax-size", "another size in an extended header",
         lambda: tar({"storages": pax("storages", {"size": "9"})}), ARCHIVE),
    Case(61, "sparse", "storages with holes of 5 GB",
         lambda: tar({"storages": header("storages", 0, tarfile.GNUTYPE_SPARSE)}), ARCHIVE),
    Case(61, "twice", "two members named storages",
         lambda: tar({"pickle": header("storages", 0) + header("pickle", 0)}), ARCHIVE),
]  # fmt: skip


# 62 and 63: joblib


def dtype_f4() -> Code:
    return Code(call(name("numpy", "dtype"), "f4", False, True) + value((3, "<", None, None, None, -1, -1, 0)) + BUILD)


def wrapped(
    shape: tuple[int, ...] = (4,), order: str = "C", padding: bytes = b"\1\xff", data: bytes = FOUR_FLOATS
) -> bytes:
    """joblib's form of {'weight': array}: the array's bytes stand right behind its wrapper."""
    state = {
        "subclass": name("numpy", "ndarray"),
        "shape": shape,
        "order": order,
        "dtype": dtype_f4(),
        "allow_mmap": True,
        "numpy_array_alignment_bytes": 16,
    }
    wrapper = name("joblib.numpy_pickle", "NumpyArrayWrapper") + EMPTY_TUPLE + NEWOBJ + value(state) + BUILD
    return proto(3) + b"}" + text("weight") + wrapper + padding + data + b"s" + STOP


def companion(file: str) -> bytes:
    """The form of joblib 0.9: the array is in a file beside this one."""
    state = {"filename": file, "subclass": name("numpy", "ndarray"), "allow_mmap": True}
    wrapper = name("joblib.numpy_pickle", "NDArrayWrapper") + EMPTY_TUPLE + NEWOBJ + value(state) + BUILD
    return proto(2) + b"}" + text("weight") + wrapper + b"s" + STOP


def beside(file: str, content: bytes = NPY) -> Files:
    return {"model.pkl": companion(file), "model.pkl_01.npy": content}


def link_companion(folder: Path) -> None:
    (folder / "model.pkl_02.npy").symlink_to("model.pkl_01.npy")


def pipe_companion(folder: Path) -> None:
    os.mkfifo(folder / "model.pkl_02.npy")


def z_file(length: int, content: bytes) -> bytes:
    return b"ZF" + hex(length).encode().ljust(19) + zlib.compress(content)


JOBLIB_CASES = [
    Case(62, "honest", "an array behind its wrapper", wrapped, tensors={"weight": ("F32", [4], FOUR_FLOATS)}),
    Case(62, "companion", "an array in the file beside", lambda: beside("model.pkl_01.npy"),
         tensors={"weight": ("F32", [4], FOUR_FLOATS)}),
    Case(62, "shape", "more elements than the file has", lambda: wrapped(shape=(1 << 20,)),
         ("MalformedCheckpoint", "MalformedPickle")),
    Case(62, "shape-overflow", "2^64 elements", lambda: wrapped(shape=(1 << 32, 1 << 32)),
         ("MalformedCheckpoint", "MalformedPickle", "ValidationOverflow")),
    Case(62, "padding", "255 bytes of padding", lambda: wrapped(padding=b"\xff" * 256),
         ("MalformedCheckpoint", "MalformedPickle")),
    Case(62, "order", "an order that does not exist", lambda: wrapped(order="X"),
         ("MalformedCheckpoint", "MalformedPickle")),
    Case(62, "climbs", "a companion in another folder", lambda: beside("../../x.npy"), CHECKPOINT),
    Case(62, "absolute", "a companion that is /etc/passwd", lambda: beside("/etc/passwd"), CHECKPOINT),
    Case(62, "symlink", "a companion that is a link", lambda: beside("model.pkl_02.npy"), (*CHECKPOINT, "IoError"),
         prepare=link_companion),
    Case(62, "pipe", "a companion that is a pipe", lambda: beside("model.pkl_02.npy"), (*CHECKPOINT, "IoError"),
         prepare=pipe_companion),
    Case(62, "missing", "a companion that is not there", lambda: beside("model.pkl_02.npy"), CHECKPOINT),
    Case(63, "length", "2^64 - 1 bytes, it says", lambda: z_file((1 << 64) - 1, wrapped()), (*LIMIT, *CHECKPOINT)),
    Case(63, "short", "more bytes than it says", lambda: z_file(4, dump({"weight": 1})), ARCHIVE),
]  # fmt: skip


# 64: bombs. Each holds 4 GiB of MARK or of zeros, neither of which is the start of anything.

BOMB_MEBIBYTES = 4096
MEBIBYTE = bytes(1 << 20)


def gzip_bomb() -> bytes:
    packed = zeros_deflated(BOMB_MEBIBYTES)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + packed + struct.pack("<II", 0, 0)


def stream_bomb(block: bytes) -> bytes:
    """Compressed streams stand one behind another as well as alone."""
    return block * BOMB_MEBIBYTES


def xz_large_dictionary() -> bytes:
    """An xz stream that asks its reader for a dictionary of 4 GiB - 1."""
    made = bytearray(lzma.compress(wrapped(), lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}]))
    at = 12  # The block header: its size, flags, filter id 0x21, properties of one byte, the dictionary, padding, CRC.
    assert made[at + 2 : at + 4] == b"\x21\x01"
    made[at + 4] = 40
    length = (made[at] + 1) * 4
    struct.pack_into("<I", made, at + length - 4, zlib.crc32(made[at : at + length - 4]))
    return bytes(made)


def lzma_bomb() -> bytes:
    packer = lzma.LZMACompressor(lzma.FORMAT_ALONE, preset=0)
    return b"".join(packer.compress(MEBIBYTE) for _ in range(1280)) + packer.flush()


def lzma_large_dictionary() -> bytes:
    made = bytearray(lzma.compress(wrapped(), lzma.FORMAT_ALONE))
    struct.pack_into("<I", made, 1, 1 << 31)
    return bytes(made)


def lz4_bomb() -> bytes:
    """A frame of 4 MiB blocks, each a match of one zero over all of it."""
    block = b"\x1f\0\1\0" + b"\xff" * 16447 + b"\xd7" + b"\x50" + bytes(5)
    head = b"\x04\x22\x4d\x18\x60\x70\x73"
    return head + (struct.pack("<I", len(block)) + block) * 1024 + struct.pack("<I", 0)


BOMB_CASES = [
    Case(64, "gzip", "4 GiB in 4 MB", gzip_bomb, LIMIT, slow=True),
    Case(64, "zlib", "4 GiB in 4 MB", lambda: b"\x78\xda" + zeros_deflated(BOMB_MEBIBYTES) + bytes(4), LIMIT,
         slow=True),
    Case(64, "bzip2", "4 GiB in very little", lambda: stream_bomb(bz2.compress(MEBIBYTE)), LIMIT, slow=True),
    Case(64, "xz", "4 GiB in very little", lambda: stream_bomb(lzma.compress(MEBIBYTE)), LIMIT, slow=True),
    Case(64, "lzma", "a stream that never says how long it is", lzma_bomb, LIMIT, slow=True),
    Case(64, "lz4", "4 GiB in 16 MB", lz4_bomb, LIMIT, slow=True),
    Case(64, "xz-dictionary", "a dictionary of 4 GiB", xz_large_dictionary, LIMIT, slow=True),
    Case(64, "lzma-dictionary", "a dictionary of 2 GiB", lzma_large_dictionary, LIMIT, slow=True),
]  # fmt: skip


# 65 to 67: folders of files

SIZE = call(name("torch", "Size"), (4,))
META = "torch.distributed.checkpoint.metadata"


def instance(module: str, cls: str, state: object) -> Code:
    return Code(name(module, cls) + EMPTY_TUPLE + NEWOBJ + value(state) + BUILD)


def chunk(offset: int, size: int) -> Code:
    sizes = {"offsets": call(name("torch", "Size"), (offset,)), "sizes": call(name("torch", "Size"), (size,))}
    return instance(META, "ChunkStorageMetadata", sizes)


def piece(size: int) -> bytes:
    return zipped(tensor(storage("0", size), (size,)), {"0": FOUR_FLOATS[: 4 * size]})


def stored_at(number: int, offset: int, info: dict[str, object]) -> tuple[Code, Code]:
    index = {"fqn": "weight", "offset": call(name("torch", "Size"), (offset,)), "index": number}
    where = instance("torch.distributed.checkpoint.filesystem", "_StorageInfo", info)
    return instance(META, "MetadataIndex", index), where


def distributed(path: str, *chunks: tuple[int, int], length: int | None = None, stored: int | None = None) -> Files:
    """A distributed checkpoint of one tensor of four floats, cut in `chunks` of which some are stored."""
    properties = instance(META, "TensorProperties", (name("torch", "float32"), None, False, None, False))
    whole = {"properties": properties, "size": SIZE, "chunks": [chunk(*each) for each in chunks]}
    pieces, where = b"", {}
    for number, (offset, size) in enumerate(chunks[:stored]):
        made = piece(size)
        info = {"relative_path": path, "offset": len(pieces), "length": len(made) if length is None else length}
        index, place = stored_at(number, offset, info)
        where[index] = place
        pieces += made
    metadata = {
        "state_dict_metadata": {"weight": instance(META, "TensorStorageMetadata", whole)},
        "planner_data": None,
        "storage_data": where,
    }
    return {".metadata": dump(instance(META, "Metadata", metadata), 4), "__0_0.distcp": pieces}


DISTRIBUTED_CASES = [
    Case(65, "honest", "one chunk in one file", lambda: distributed("__0_0.distcp", (0, 4)),
         tensors={"weight": ("F32", [4], FOUR_FLOATS)}),
    Case(65, "climbs", "a part in another folder", lambda: distributed("../x", (0, 4)), CHECKPOINT),
    Case(65, "overlap", "chunks that overlap", lambda: distributed("__0_0.distcp", (0, 4), (2, 2)), CHECKPOINT),
    Case(65, "missing", "half a tensor", lambda: distributed("__0_0.distcp", (0, 2)), CHECKPOINT),
    Case(65, "nowhere", "a chunk that is stored nowhere",
         lambda: distributed("__0_0.distcp", (0, 2), (2, 2), stored=1), CHECKPOINT),
    Case(65, "beyond", "a chunk beyond its file", lambda: distributed("__0_0.distcp", (0, 4), length=1 << 40),
         CHECKPOINT),
]  # fmt: skip


def index_of(file: str) -> Files:
    index = {"metadata": {"total_size": 16}, "weight_map": {"weight": file}}
    return {"pytorch_model.bin.index.json": json.dumps(index).encode(), "pytorch_model.bin": zipped()}


INDEX_CASES = [
    Case(66, "honest", "a shard beside its index", lambda: index_of("pytorch_model.bin"),
         tensors={"weight": ("F32", [2, 2], FOUR_FLOATS)}),
    Case(66, "absolute", "a shard that is /etc/passwd", lambda: index_of("/etc/passwd"), CHECKPOINT),
    Case(66, "climbs", "a shard in another folder", lambda: index_of("a/../../b"), CHECKPOINT),
    Case(66, "parent", "a shard that is the folder above", lambda: index_of(".."), CHECKPOINT),
    Case(66, "missing", "a shard that is not there", lambda: index_of("nothing.bin"), (*CHECKPOINT, "IoError")),
]  # fmt: skip


def partitions(count: int, numel: int) -> Files:
    """A ZeRO checkpoint: one file of shapes, and one partition that says of how many it is one."""
    shapes = {"weight": call(name("torch", "Size"), (numel,))}
    model = zipped({"module": {}, "buffer_names": [], "param_shapes": [shapes]}, {})
    state = {"zero_stage": 2, "partition_count": count, "single_partition_of_fp32_groups": [tensor(shape=(4,))]}
    return {
        "run/mp_rank_00_model_states.pt": model,
        "run/zero_pp_rank_0_mp_rank_00_optim_states.pt": zipped({"optimizer_state_dict": state}),
    }


# Folders are no input: whoever has one merges it with the script that lies in it.
FOLDER = ("IoError", "Unsupported", "UnknownFormat", "MalformedCheckpoint")

PARTITION_CASES = [
    Case(67, "count", "one partition of two", lambda: partitions(2, 8), FOLDER, source="run"),
    Case(67, "shapes", "shapes that exceed the data", lambda: partitions(1, 1 << 20), FOLDER, source="run"),
]  # fmt: skip

CONTAINER_CASES = [
    *PARTITION_CASES,
    *TAR_CASES,
    *JOBLIB_CASES,
    *BOMB_CASES,
    *DISTRIBUTED_CASES,
    *INDEX_CASES,
]
