"""Models of ONNX in every encoding, and what their tensors are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from arrays import Tensor, read
from onnx import TensorProto, helper, numpy_helper

from cli import Weighbridge

# What each element type is in safetensors, where its elements fill whole bytes.
DTYPES = {
    TensorProto.FLOAT: "F32",
    TensorProto.UINT8: "U8",
    TensorProto.INT8: "I8",
    TensorProto.UINT16: "U16",
    TensorProto.INT16: "I16",
    TensorProto.INT32: "I32",
    TensorProto.INT64: "I64",
    TensorProto.BOOL: "BOOL",
    TensorProto.FLOAT16: "F16",
    TensorProto.DOUBLE: "F64",
    TensorProto.UINT32: "U32",
    TensorProto.UINT64: "U64",
    TensorProto.COMPLEX64: "C64",
    TensorProto.BFLOAT16: "BF16",
    TensorProto.FLOAT8E4M3FN: "F8_E4M3",
    TensorProto.FLOAT8E4M3FNUZ: "F8_E4M3FNUZ",
    TensorProto.FLOAT8E5M2: "F8_E5M2",
    TensorProto.FLOAT8E5M2FNUZ: "F8_E5M2FNUZ",
    TensorProto.FLOAT4E2M1: "F4",
    TensorProto.FLOAT8E8M0: "F8_E8M0",
    TensorProto.FLOAT6E2M3: "F6_E2M3",
    TensorProto.FLOAT6E3M2: "F6_E3M2",
}
SMALL_INTEGERS = (TensorProto.UINT4, TensorProto.INT4, TensorProto.UINT2, TensorProto.INT2)
EVERY_TYPE = (*DTYPES, *SMALL_INTEGERS)
BITS = {
    TensorProto.UINT4: 4,
    TensorProto.INT4: 4,
    TensorProto.UINT2: 2,
    TensorProto.INT2: 2,
    TensorProto.FLOAT4E2M1: 4,
    TensorProto.FLOAT6E2M3: 6,
    TensorProto.FLOAT6E3M2: 6,
}


def element_bits(data_type: int) -> int:
    """Bits of an element as raw_data has it."""
    return BITS.get(data_type, helper.tensor_dtype_to_np_dtype(data_type).itemsize * 8)


def random_raw(data_type: int, shape: Iterable[int], seed: int = 0) -> bytes:
    """Random bits of a tensor, with zeros in what the last byte has too many."""
    count = int(np.prod(tuple(shape), dtype=np.int64))
    bits = count * element_bits(data_type)
    values = np.random.default_rng(seed).integers(0, 256, (bits + 7) // 8, dtype=np.uint8)
    if data_type == TensorProto.BOOL:
        values &= 1
    if bits % 8:
        values[-1] &= (1 << bits % 8) - 1
    return values.tobytes()


def raw_tensor(name: str, data_type: int, shape: Iterable[int], seed: int = 0) -> TensorProto:
    """A tensor of random bits in raw_data."""
    dims = tuple(shape)
    return TensorProto(name=name, data_type=data_type, dims=dims, raw_data=random_raw(data_type, dims, seed))


def entry_dtype(data_type: int) -> np.dtype[Any]:
    """What the entries of the typed field are: floats of 16 and 8 bits are their bit patterns."""
    own = helper.tensor_dtype_to_np_dtype(data_type)
    if own.kind == "c":
        return np.dtype(f"f{own.itemsize // 2}")
    return own if own.kind in "iu" or own.itemsize > 2 else np.dtype(f"u{own.itemsize}")


def typed_tensor(name: str, data_type: int, shape: Iterable[int], seed: int = 0) -> TensorProto:
    """The same tensor in the typed field of its type, as onnx itself would write it."""
    raw = raw_tensor(name, data_type, shape, seed)
    typed = TensorProto(name=name, data_type=data_type, dims=raw.dims)
    field = getattr(typed, helper.tensor_dtype_to_field(data_type))
    if BITS.get(data_type) in (2, 4):
        field.extend(raw.raw_data)
    elif BITS.get(data_type) == 6:
        field.extend(int(value) for value in numpy_helper.to_array(raw).view(np.uint8).ravel())
    else:
        field.extend(np.frombuffer(raw.raw_data, dtype=entry_dtype(data_type)).tolist())
    return typed


def fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The fields of a message: number, wire type, and the bytes behind the tag, without the length."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        begin = at
        match tag & 7:
            case 0:
                varint()
            case 1:
                at += 8
            case 5:
                at += 4
            case _:
                length = varint()
                begin, at = at, at + length
        yield tag >> 3, tag & 7, message[begin:at]


def encode_varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def encode(number: int, wire: int, content: bytes) -> bytes:
    length = encode_varint(len(content)) if wire == 2 else b""
    return encode_varint(number << 3 | wire) + length + content


def split_varints(content: bytes) -> Iterator[bytes]:
    begin = 0
    for at, byte in enumerate(content):
        if byte < 0x80:
            yield content[begin : at + 1]
            begin = at + 1


def unpacked(tensor: TensorProto, *, packed_rest: bool = False) -> bytes:
    """The message of a tensor with each number of its data in a field of its own; with `packed_rest` only the
    first half of them, the others in one packed field."""
    out = b""
    for number, wire, content in fields(tensor.SerializeToString()):
        widths = {4: 4, 10: 8}
        if number not in (4, 5, 7, 10, 11) or wire != 2:
            out += encode(number, wire, content)
            continue
        if number in widths:
            width = widths[number]
            entries = [content[i : i + width] for i in range(0, len(content), width)]
        else:
            entries = list(split_varints(content))
        half = len(entries) // 2 if packed_rest else len(entries)
        single = {4: 5, 10: 1}.get(number, 0)
        out += b"".join(encode(number, single, entry) for entry in entries[:half])
        if packed_rest:
            out += encode(number, 2, b"".join(entries[half:]))
    return out


def model_of_messages(initializers: Iterable[bytes]) -> bytes:
    """A model whose graph has these messages for its initializers."""
    graph = encode(2, 2, b"g") + b"".join(encode(5, 2, message) for message in initializers)
    opset = encode(8, 2, encode(2, 0, encode_varint(21)))
    return encode(1, 0, encode_varint(10)) + encode(7, 2, graph) + opset


def model_of(initializers: Iterable[TensorProto] = (), nodes: Iterable[Any] = (), **more: Any) -> onnx.ModelProto:
    """A model that need not make sense beyond its tensors."""
    graph = helper.make_graph(list(nodes), "g", [], [], list(initializers))
    model: onnx.ModelProto = helper.make_model(graph, **more)
    return model


def expected(tensor: TensorProto) -> Tensor:
    """What a tensor must become: its bits come from onnx alone."""
    array = numpy_helper.to_array(tensor)
    content = numpy_helper.from_array(array).raw_data
    bits = array.size * element_bits(tensor.data_type)
    dtype = DTYPES.get(tensor.data_type)
    if dtype is None or bits % 8:
        return Tensor("U8", ((bits + 7) // 8,), content)
    return Tensor(dtype, tuple(tensor.dims), content)


def convert(weighbridge: Weighbridge, file: Path, *options: str) -> dict[str, Tensor]:
    """The tensors of a model, by the program."""
    return read(weighbridge.convert(file, *options))
