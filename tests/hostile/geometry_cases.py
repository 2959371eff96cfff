"""Cases 23 to 31: tensors that reach where they must not, and tensors that only look odd."""

from __future__ import annotations

import struct

from case import Case
from checkpoints import Tensors, one_tensor, storage, tensor, zipped
from pickles import ORDERED_DICT, Code, call, name

OUT_OF_BOUNDS = ("TensorOutOfBounds",)
CHECKPOINT = ("MalformedCheckpoint",)
OVERFLOW = ("ValidationOverflow", "TensorOutOfBounds")
LIMIT = ("LimitExceeded",)


def shaped(*, shape: tuple[int, ...], stride: tuple[int, ...] | None = None, offset: int = 0) -> bytes:
    return one_tensor(tensor(shape=shape, stride=stride, offset=offset))


def hundred_thousand_aliases() -> bytes:
    """Each is a tensor of its own over the whole of one storage of 1 MiB: 100 GiB when written one by one."""
    shared = storage("0", 1 << 18)
    made = {f"w{i}": tensor(Code(b"h\x00"), (1 << 18,)) for i in range(100_000)}
    return zipped({"first": tensor(Code(shared + b"q\x00"), (1 << 18,)), **made}, {"0": bytes(1 << 20)})


def int_storage(key: str, numel: int) -> Code:
    return storage(key, numel, "LongStorage")


def coo(indices: list[int], size: tuple[int, ...], values: int = 2) -> bytes:
    """A sparse tensor of one dimension a row of `indices`."""
    rows = len(size)
    at = tensor(int_storage("1", len(indices)), (rows, len(indices) // rows))
    data = tensor(storage("0", values), (values,))
    layout = call(name("torch.serialization", "_get_layout"), "torch.sparse_coo")
    made = call(name("torch._utils", "_rebuild_sparse_tensor"), layout, (at, data, size, False))
    records = {"0": struct.pack(f"<{values}f", *range(values)), "1": struct.pack(f"<{len(indices)}q", *indices)}
    return zipped({"weight": made}, records)


def csr(rows: list[int], columns: list[int], size: tuple[int, int]) -> bytes:
    starts = tensor(int_storage("1", len(rows)), (len(rows),))
    at = tensor(int_storage("2", len(columns)), (len(columns),))
    data = tensor(storage("0", len(columns)), (len(columns),))
    layout = call(name("torch.serialization", "_get_layout"), "torch.sparse_csr")
    made = call(name("torch._utils", "_rebuild_sparse_tensor"), layout, (starts, at, data, size))
    return zipped(
        {"weight": made},
        {
            "0": struct.pack(f"<{len(columns)}f", *columns),
            "1": struct.pack(f"<{len(rows)}q", *rows),
            "2": struct.pack(f"<{len(columns)}q", *columns),
        },
    )


def quantized(scales: list[float], axis: int) -> bytes:
    """Four quantised bytes of shape (2, 2), scaled along `axis`."""
    scale = tensor(storage("1", len(scales), "DoubleStorage"), (len(scales),))
    zero = tensor(int_storage("2", len(scales)), (len(scales),))
    scheme = (name("torch", "per_channel_affine"), scale, zero, axis)
    arguments = (storage("0", 4, "QInt8Storage"), 0, (2, 2), (2, 1), scheme, False, ORDERED_DICT)
    records = {
        "0": b"\1\2\3\4",
        "1": struct.pack(f"<{len(scales)}d", *scales),
        "2": bytes(8 * len(scales)),
    }
    return zipped({"weight": call(name("torch._utils", "_rebuild_qtensor"), *arguments)}, records)


def two_types() -> bytes:
    state = {"weight": tensor(), "other": tensor(storage("0", 4, "IntStorage"))}
    return zipped(state)


EMPTY: Tensors = {"weight": ("F32", [0, 3], b"")}
OVERLAPPING: Tensors = {"weight": ("F32", [3, 2], struct.pack("<6f", 1, 2, 2, 3, 3, 4))}
BOOLEANS: Tensors = {"weight": ("BOOL", [4], b"\0\1\1\1")}
NAN = float("nan")
NAN_SCALED: Tensors = {
    "weight": ("I8", [2, 2], b"\1\2\3\4"),
    "weight.scale": ("F64", [2], struct.pack("<2d", NAN, 0.5)),
    "weight.zero_point": ("I64", [2], bytes(16)),
}

GEOMETRY_CASES = [
    Case(23, "offset-past-end", "the last row behind the end", lambda: shaped(shape=(2, 2), offset=1), OUT_OF_BOUNDS),
    Case(23, "negative-offset", "starts before its storage", lambda: shaped(shape=(2, 2), offset=-1), CHECKPOINT),
    Case(23, "negative-stride", "runs backwards", lambda: shaped(shape=(2, 2), stride=(-2, 1), offset=2), CHECKPOINT),
    Case(23, "negative-size", "-2 rows", lambda: shaped(shape=(-2, 2), stride=(2, 1)), CHECKPOINT),
    Case(23, "rank", "two sizes and one stride", lambda: shaped(shape=(2, 2), stride=(1,)), CHECKPOINT),
    Case(23, "size-product", "2^32 x 2^32 elements", lambda: shaped(shape=(1 << 32, 1 << 32), stride=(0, 0)), OVERFLOW),
    Case(23, "size-bytes", "2^62 elements of 4 bytes", lambda: shaped(shape=(1 << 62,), stride=(0,)), OVERFLOW),
    Case(23, "stride-product", "a stride of 2^62", lambda: shaped(shape=(8, 1), stride=(1 << 62, 1)), OUT_OF_BOUNDS),
    Case(23, "offset-sum", "an offset of 2^63 - 1", lambda: shaped(shape=(2,), offset=(1 << 63) - 1), OUT_OF_BOUNDS),
    Case(23, "huge-integers", "a size that is none in 64 bits", lambda: shaped(shape=(1 << 64,), stride=(0,)),
         CHECKPOINT),
    Case(23, "rank-300", "300 dimensions", lambda: shaped(shape=(1,) * 300), LIMIT),
    Case(24, "expand", "4 TiB out of one float", lambda: shaped(shape=(1 << 40,), stride=(0,)), LIMIT),
    Case(25, "empty", "no elements, from element 100 on", lambda: shaped(shape=(0, 3), offset=100), tensors=EMPTY),
    Case(26, "overlapping", "rows that share elements", lambda: shaped(shape=(3, 2), stride=(1, 1)),
         tensors=OVERLAPPING),
    Case(27, "aliases", "100 000 names of one storage, written one by one", hundred_thousand_aliases, LIMIT,
         options=("--shared", "copy")),
    Case(28, "booleans", "booleans that are neither true nor false",
         lambda: one_tensor(tensor(storage("0", 4, "BoolStorage"), (4,)), b"\0\1\2\xff"),
         tensors=BOOLEANS, findings=("BooleansNormalized",)),
    Case(31, "two-types", "one storage of floats and of ints", two_types, CHECKPOINT),
]  # fmt: skip

SPARSE_CASES = [
    Case(29, "index-negative", "element -1 of a sparse tensor", lambda: coo([0, -1], (4,)), CHECKPOINT),
    Case(29, "index-past-end", "element 4 of 4", lambda: coo([0, 4], (4,)), CHECKPOINT),
    Case(29, "nnz", "three indices of two values", lambda: coo([0, 1, 2], (4,)), CHECKPOINT),
    Case(29, "huge", "2^40 x 2^40 elements", lambda: coo([0, 1, 0, 1], (1 << 40, 1 << 40)),
         ("LimitExceeded", "ValidationOverflow")),
    Case(29, "large", "a terabyte of zeros", lambda: coo([0, 1], (1 << 38,)), LIMIT),
    Case(29, "csr-order", "row starts that run backwards", lambda: csr([0, 2, 1, 2], [0, 1], (3, 2)), CHECKPOINT),
    Case(29, "csr-first", "row starts that do not start at 0", lambda: csr([1, 1, 2], [0, 1], (2, 2)), CHECKPOINT),
    Case(29, "csr-column", "column 2 of 2", lambda: csr([0, 1, 2], [0, 2], (2, 2)), CHECKPOINT),
    Case(30, "axis", "scales along axis 7 of 2", lambda: quantized([0.5, 0.5], 7), CHECKPOINT),
    Case(30, "nan", "a scale that is no number", lambda: quantized([NAN, 0.5], 0), tensors=NAN_SCALED),
    Case(30, "length", "three scales for two rows", lambda: quantized([0.5, 0.5, 0.5], 0), CHECKPOINT),
]  # fmt: skip

GEOMETRY_CASES += SPARSE_CASES
