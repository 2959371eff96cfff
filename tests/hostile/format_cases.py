"""Cases 71 to 76: Keras, HDF5, ONNX, GGUF, arrays of NumPy and flax."""

from __future__ import annotations

import io
import json
import os
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from case import ALARM, DANGEROUS, Case, Files
from checkpoints import FOUR_FLOATS
from pickles import SYSTEM, dump
from zips import DEFLATED, Entry, Zip, zeros_deflated

CHECKPOINT = ("MalformedCheckpoint",)
DANGER = ("DangerousContent",)
UNSUPPORTED = ("Unsupported",)
LIMIT = ("LimitExceeded",)
ARCHIVE = ("MalformedArchive",)
OVERFLOW = ("ValidationOverflow", *CHECKPOINT)
OUTSIDE = ("IoError", *CHECKPOINT)
VALUES = np.frombuffer(FOUR_FLOATS, "<f4")


# 71: Keras


def hdf5(fill: Callable[[h5py.File], object]) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    return buffer.getvalue()


def weights(file: h5py.File) -> None:
    file["layers/dense/vars/0"] = VALUES


def keras(layer: object = None, text: bytes | None = None, content: bytes | None = None) -> bytes:
    """An archive of one dense layer, whose description has one more."""
    layers = [{"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense", "units": 1}}]
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "model", "layers": [*layers, *([] if layer is None else [layer])]},
    }
    described = json.dumps(config).encode() if text is None else text
    model = hdf5(weights) if content is None else content
    return Zip([Entry("config.json", described), Entry("model.weights.h5", model)]).build()


def layer(module: str, name: str, **config: object) -> dict[str, object]:
    return {"module": module, "class_name": name, "config": config, "registered_name": name}


LAMBDA = layer("keras.layers", "Lambda", function={"class_name": "__lambda__", "config": {"code": "4wAAAA=="}})
DENSE = {"layers/dense/vars/0": ("F32", [4], FOUR_FLOATS)}

KERAS_CASES = [
    Case(71, "honest", "a dense layer", keras, tensors=DENSE),
    Case(71, "lambda", "bytecode in a Lambda layer", lambda: keras(LAMBDA), DANGER, scan=DANGEROUS),
    Case(71, "module", "a layer that is os.system",
         lambda: keras(layer("os", "system", command="touch weighbridge-was-here")), DANGER, scan=DANGEROUS),
    Case(71, "unsafe", "a layer that switches safe mode off",
         lambda: keras(layer("keras.config", "enable_unsafe_deserialization")), DANGER, scan=DANGEROUS),
    Case(71, "download", "a layer that downloads",
         lambda: keras(layer("keras.utils", "get_file", fname="x", origin="http://localhost/x")), DANGER,
         scan=DANGEROUS),
    Case(71, "vocabulary", "a vocabulary that is /etc/passwd",
         lambda: keras(layer("keras.layers", "StringLookup", vocabulary="/etc/passwd")), DANGER, scan=DANGEROUS),
    Case(71, "custom", "a class of a package of the author's",
         lambda: keras(layer("my_package", "MyLayer")), tensors=DENSE, findings=("KerasCustomObject",), scan=ALARM),
    Case(71, "twice", "a key that stands there twice",
         lambda: keras(text=b'{"class_name": "Sequential", "class_name": "Lambda"}'), tensors=DENSE,
         findings=("KerasConfigUnreadable",), scan=ALARM),
    Case(71, "deep", "a description of a million levels", lambda: keras(text=b'{"class_name":' * 1_000_000),
         tensors=DENSE, findings=("KerasConfigUnreadable",), scan=ALARM),
    Case(71, "link", "weights that are a link", lambda: keras(content=hdf5(external_link)), UNSUPPORTED),
    Case(71, "wrong-crc", "weights of another checksum", lambda: Zip([
        Entry("config.json", b"{}"), Entry("model.weights.h5", hdf5(weights), crc=1),
    ]).build(), ARCHIVE, message="has the CRC-32"),
    Case(71, "bomb", "weights of 4 GiB in 4 MB", lambda: Zip([
        Entry("config.json", b"{}"),
        Entry("model.weights.h5", b"", DEFLATED, zeros_deflated(4096), size=4 << 30),
    ]).build(), (*LIMIT, *CHECKPOINT), slow=True),
]  # fmt: skip


# 72: HDF5


def external_link(file: h5py.File) -> None:
    file["out"] = h5py.ExternalLink("/etc/passwd", "/a")


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


# 73: ONNX


def number(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(field: int, content: bytes | str, length: int | None = None) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return number(field << 3 | 2) + number(len(data) if length is None else length) + data


def varint(field: int, value: int) -> bytes:
    return number(field << 3) + number(value)


def initializer(*fields: bytes, dims: tuple[int, ...] = (4,)) -> bytes:
    """The tensor 'weight' of floats; `fields` say where its data is."""
    return b"".join(varint(1, size) for size in dims) + varint(2, 1) + message(8, "weight") + b"".join(fields)


def located(location: str, **more: str) -> bytes:
    """A tensor whose data is in another file."""
    entries = [("location", location), *more.items()]
    return initializer(
        *(message(13, message(1, key.rstrip("_")) + message(2, value)) for key, value in entries), varint(14, 1)
    )


def model(tensor: bytes = b"", graph: bytes = b"", rest: bytes = b"") -> bytes:
    content = (message(5, tensor) if tensor else b"") + message(2, "graph") + graph
    return varint(1, 8) + message(7, content) + message(8, varint(2, 17)) + rest


def beside(location: str, data: bytes = FOUR_FLOATS, **more: str) -> Files:
    """A model and its data."""
    return {"model.onnx": model(located(location, **more)), "weights": data}


def node(op: str, attribute: bytes = b"") -> bytes:
    return message(4, op) + (message(5, attribute) if attribute else b"")


def nested(depth: int) -> bytes:
    """Branches within branches."""
    graph = message(2, "innermost")
    for _ in range(depth):
        graph = message(1, node("If", message(1, "then_branch") + message(6, graph)))
    return model(graph=graph)


def function(name: str, calls: str) -> bytes:
    return message(25, message(1, name) + message(7, node(calls) + message(7, "own")) + message(10, "own"))


def link_weights(folder: Path) -> None:
    (folder / "weights").unlink()
    (folder / "weights").symlink_to("/etc/passwd")


def pipe_weights(folder: Path) -> None:
    (folder / "weights").unlink()
    os.mkfifo(folder / "weights")


RAW = message(9, FOUR_FLOATS)
WEIGHT = {"weight": ("F32", [4], FOUR_FLOATS)}

ONNX_CASES = [
    Case(73, "honest", "data in the model", lambda: model(initializer(RAW)), tensors=WEIGHT),
    Case(73, "beside", "data beside the model", lambda: beside("weights"), tensors=WEIGHT),
    *(Case(73, variant, f"data in {location!r}", lambda location=location: beside(location), CHECKPOINT,
           scan=DANGEROUS)
      for variant, location in [
          ("climbs", "../weights"), ("inside-out", "a/../../weights"), ("absolute", "/etc/passwd"),
          ("drive", "C:\\weights"), ("backslash", "..\\weights"), ("url", "file:///etc/passwd"),
          ("memory", "*/_ORT_MEM_ADDR_/*")]),
    Case(73, "nul", "a location with a NUL", lambda: beside("weights\0.bin"), CHECKPOINT, scan=(0, 1, 4)),
    Case(73, "folder", "data that is the folder", lambda: beside("."), CHECKPOINT, scan=(0, 1, 4)),
    Case(73, "missing", "data that is not there", lambda: beside("nothing"), OUTSIDE),
    Case(73, "symlink", "data that is a link to /etc/passwd", lambda: beside("weights"), OUTSIDE,
         message="symbolic link", prepare=link_weights),
    Case(73, "pipe", "data that is a pipe", lambda: beside("weights"), OUTSIDE, prepare=pipe_weights),
    Case(73, "negative", "an offset of -1", lambda: beside("weights", offset="-1"), CHECKPOINT),
    Case(73, "beyond", "an offset beyond the file", lambda: beside("weights", offset="8"), CHECKPOINT),
    Case(73, "overflow", "offset and length of 2^64 together",
         lambda: beside("weights", offset=str((1 << 64) - 8), length="16"), CHECKPOINT),
    Case(73, "length", "a length that is not the tensor's", lambda: beside("weights", length="8"), CHECKPOINT),
    Case(73, "twice", "two locations", lambda: beside("weights", location_="/etc/passwd"), CHECKPOINT,
         scan=(0, 1, 4)),
    Case(73, "both", "data inside and outside", lambda: model(located("weights") + RAW), CHECKPOINT),
    Case(73, "raw-twice", "raw data that stands there twice", lambda: model(initializer(RAW, RAW)), CHECKPOINT),
    Case(73, "graph-twice", "two graphs", lambda: model(initializer(RAW), rest=message(7, message(2, "evil"))),
         CHECKPOINT),
    Case(73, "dims", "2^64 elements", lambda: model(initializer(RAW, dims=(1 << 32, 1 << 32))), OVERFLOW),
    Case(73, "dims-negative", "-4 elements", lambda: model(initializer(RAW, dims=(-4,))), CHECKPOINT),
    Case(73, "longer", "a message longer than the file",
         lambda: varint(1, 8) + message(7, message(2, "graph"), 1 << 40), CHECKPOINT),
    Case(73, "deep", "branches a thousand deep", lambda: nested(1000), (*LIMIT, *CHECKPOINT)),
    Case(73, "recursion", "functions that call each other",
         lambda: model(initializer(RAW), rest=function("f", "g") + function("g", "f")), CHECKPOINT),
]  # fmt: skip


# 74: GGUF


def text(value: str | bytes, length: int | None = None) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data) if length is None else length) + data


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def info(name: str = "weight", dims: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


ARCHITECTURE = pair("general.architecture", 8, text("llama"))


def gguf(
    *tensors: bytes,
    pairs: tuple[bytes, ...] = (ARCHITECTURE,),
    counts: tuple[int, int] | None = None,
    version: int = 3,
    data: bytes = FOUR_FLOATS + bytes(16),
) -> bytes:
    infos = tensors or (info(),)
    many = counts or (len(infos), len(pairs))
    head = b"GGUF" + struct.pack("<IQQ", version, *many) + b"".join(pairs) + b"".join(infos)
    return head + bytes(-len(head) % 32) + data


def array(kind: int, count: int, items: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + items


GGUF_CASES = [
    Case(74, "honest", "one tensor", gguf, tensors=WEIGHT),
    Case(74, "tensors", "2^63 tensors, it says", lambda: gguf(counts=(1 << 63, 1)), (*LIMIT, *CHECKPOINT)),
    Case(74, "pairs", "2^62 pairs, it says", lambda: gguf(counts=(1, 1 << 62)), (*LIMIT, *CHECKPOINT)),
    Case(74, "both", "counts whose sum is small", lambda: gguf(counts=((1 << 64) - 1, 2)), (*LIMIT, *CHECKPOINT)),
    Case(74, "text", "a key of 2^64 - 1 bytes",
         lambda: gguf(pairs=(text("key", (1 << 64) - 1) + struct.pack("<II", 4, 1),)), (*LIMIT, *CHECKPOINT)),
    Case(74, "array", "an array of 2^61 numbers of 8 bytes",
         lambda: gguf(pairs=(ARCHITECTURE, pair("a", 9, array(10, 1 << 61)))), (*LIMIT, *CHECKPOINT)),
    Case(74, "texts", "an array of 2^60 texts",
         lambda: gguf(pairs=(ARCHITECTURE, pair("a", 9, array(8, 1 << 60)))), (*LIMIT, *CHECKPOINT)),
    Case(74, "nested", "arrays in arrays",
         lambda: gguf(pairs=(ARCHITECTURE, pair("a", 9, array(9, 1, array(0, 1, b"\0"))))), UNSUPPORTED),
    Case(74, "kind", "a value of no type", lambda: gguf(pairs=(ARCHITECTURE, pair("a", 13, b"\0"))), CHECKPOINT),
    Case(74, "key-twice", "a key twice", lambda: gguf(pairs=(ARCHITECTURE, ARCHITECTURE)),
         ("DuplicateKey", *CHECKPOINT)),
    Case(74, "name-twice", "a name twice", lambda: gguf(info(), info(offset=32), data=bytes(64)),
         ("DuplicateKey", "NameCollision", *CHECKPOINT)),
    *(Case(74, f"alignment-{value}", "an alignment that is none",
           lambda value=value: gguf(pairs=(ARCHITECTURE, pair("general.alignment", 4, struct.pack("<I", value)))),
           CHECKPOINT)
      for value in (0, 3, 1 << 31)),
    Case(74, "dims", "2^64 elements", lambda: gguf(info(dims=(1 << 32, 1 << 32))), OVERFLOW),
    Case(74, "dims-many", "a tensor of a million dimensions",
         lambda: gguf(text("weight") + struct.pack("<I", 1_000_000)), CHECKPOINT),
    Case(74, "blocks", "a row of half a block", lambda: gguf(info(dims=(16,), kind=2)), CHECKPOINT),
    Case(74, "type", "a type that was taken out", lambda: gguf(info(kind=4)), (*UNSUPPORTED, *CHECKPOINT)),
    Case(74, "type-none", "a type that never was", lambda: gguf(info(kind=1 << 31)), (*UNSUPPORTED, *CHECKPOINT)),
    Case(74, "overlap", "two tensors in one place", lambda: gguf(info("a"), info("b")), CHECKPOINT),
    Case(74, "unaligned", "an offset of 4", lambda: gguf(info(offset=4)), CHECKPOINT),
    Case(74, "beyond", "a tensor beyond the file", lambda: gguf(info(dims=(1 << 40,))), CHECKPOINT),
    Case(74, "version", "version 1", lambda: gguf(version=1), (*UNSUPPORTED, *CHECKPOINT)),
]  # fmt: skip


# 75: arrays of NumPy


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


# 76: flax


def pack(value: object) -> bytes:
    """MessagePack, in the longest form of everything."""
    if isinstance(value, dict):
        return struct.pack(">BI", 0xDF, len(value)) + b"".join(pack(k) + pack(v) for k, v in value.items())
    if isinstance(value, list):
        return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(pack, value))
    if isinstance(value, str):
        return struct.pack(">BI", 0xDB, len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">BQ", 0xCF, value)
    assert isinstance(value, Packed)
    return value.content


class Packed:
    """Bytes that are MessagePack already."""

    def __init__(self, content: bytes) -> None:
        self.content = content


def ndarray(shape: list[int], data: bytes = FOUR_FLOATS, length: int | None = None, dtype: str = "float32") -> Packed:
    content = pack([shape, dtype, data])
    return Packed(struct.pack(">BIb", 0xC9, len(content) if length is None else length, 1) + content)


def flax(weight: object) -> bytes:
    return pack({"weight": weight})


def chunks(shape: list[int], *parts: Packed) -> dict[str, object]:
    numbered = {str(i): part for i, part in enumerate(parts)}
    return {
        "__msgpack_chunked_array__": True,
        "shape": {str(i): size for i, size in enumerate(shape)},
        "chunks": numbered,
    }


FLAX_CASES = [
    Case(76, "honest", "an array", lambda: flax(ndarray([4])), tensors=WEIGHT),
    Case(76, "shape", "more elements than bytes", lambda: flax(ndarray([1 << 20])), CHECKPOINT),
    Case(76, "overflow", "2^64 elements", lambda: flax(ndarray([1 << 32, 1 << 32])), OVERFLOW),
    Case(76, "extension", "an array longer than the file", lambda: flax(ndarray([4], length=1 << 31)),
         (*CHECKPOINT, "UnknownFormat")),
    Case(76, "count", "a map of 2^32 - 1 keys",
         lambda: pack({"weight": ndarray([4]), "more": Packed(b"\xdf" + b"\xff" * 4)}),
         (*LIMIT, *CHECKPOINT)),
    Case(76, "deep", "a thousand maps in each other",
         lambda: pack({"weight": ndarray([4]), "deep": Packed(b"\x81\xa1a" * 1000 + b"\xc0")}),
         (*LIMIT, *CHECKPOINT)),
    Case(76, "twice", "a key twice",
         lambda: struct.pack(">BI", 0xDF, 2) + (pack("weight") + ndarray([4]).content) * 2,
         ("DuplicateKey", *CHECKPOINT)),
    Case(76, "chunks", "chunks of another number of bytes",
         lambda: flax(chunks([8], ndarray([4]), ndarray([2], FOUR_FLOATS[:8]))), CHECKPOINT),
    Case(76, "chunk-types", "chunks of unlike types",
         lambda: flax(chunks([8], ndarray([4]), ndarray([4], dtype="int32"))), CHECKPOINT),
    Case(76, "objects", "an array of objects", lambda: flax(ndarray([4], dtype="object")), (*UNSUPPORTED, *CHECKPOINT)),
]  # fmt: skip

FORMAT_CASES = [*KERAS_CASES, *HDF5_CASES, *ONNX_CASES, *GGUF_CASES, *NUMPY_CASES, *FLAX_CASES]
