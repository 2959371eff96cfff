"""``TensorSpec`` and ``serialize``: a tensor as an address, and files made of such."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from .. import _native, _save
from .._dtypes import BY_CODE, BY_TORCH
from .._errors import SafetensorError
from .._save import Options

# As the reference lists them in its message.
_NAMES = (
    "bool, int8, uint8, int16, uint16, int32, uint32, int64, uint64, float16, float32, float64, bfloat16,"
    " float8_e4m3fn, float8_e4m3fnuz, float8_e5m2, float8_e5m2fnuz, float8_e8m0fnu, float4_e2m1fn_x2, complex64"
)
_CODES = {row.torch: row.code for row in BY_TORCH.values()}
_MOST = 2**64 - 1

# What the reference says of a tensor of torch or Paddle whose elements lie apart.
NOT_CONTIGUOUS = (
    "You are trying to save a non contiguous tensor: `{name}` which is not allowed. It either means you are trying to"
    " save tensors which are reference of each other in which case it's recommended to save only the full tensors, and"
    " reslice at load time, or simply call `.contiguous()` on your tensor to pack it before saving."
)

# What the reference says, in front of what the library says.
_TEXTS = {
    "TensorInvalidInfo": "invalid shape, data type, or offset for tensor",
    "ValidationOverflow": "overflow computing buffer size from shape and/or element type",
    "HeaderTooLarge": "header too large",
    "IoError": "I/O error",
    "MisalignedSlice": (
        "The slice is slicing for subbytes dtypes, and the slice does not end up at a byte boundary, this is invalid."
    ),
}


def format_code(dtype: str) -> str:
    """The format's name of a dtype; SafetensorError for another than those of ``TensorSpec``."""
    code = _CODES.get(dtype)
    if code is None:
        raise SafetensorError(f'Unknown dtype "{dtype}". Supported dtypes: {_NAMES}')
    return code


class TensorSpec:
    """A tensor whose bytes lie at an address, where the caller keeps them: contiguous, little-endian.

    ``dtype`` is a name as torch or numpy has it ("float32", "bfloat16", "float4_e2m1fn_x2"), ``shape`` a sequence of
    sizes, ``data_ptr`` the address of ``data_len`` bytes. Read back, ``dtype`` is the format's name ("F32"), and the
    last size of float4_e2m1fn_x2, which counts bytes, is doubled. Raises SafetensorError for an unknown dtype,
    OverflowError for a negative number.
    """

    __slots__ = ("_code", "_length", "_pointer", "_shape")

    def __init__(self, *, dtype: str, shape: Any, data_ptr: int, data_len: int) -> None:
        if not isinstance(dtype, str):
            raise TypeError(f"argument 'dtype': '{type(dtype).__name__}' object is not an instance of 'str'")
        self._code = format_code(dtype)
        self._shape = _sizes(shape)
        self._pointer = _unsigned("data_ptr", data_ptr)
        self._length = _unsigned("data_len", data_len)
        if self._code == "F4" and self._shape:
            self._shape[-1] = _doubled(self._shape[-1])

    @property
    def dtype(self) -> str:
        """The format's name of the dtype, such as "F32"."""
        return self._code

    @property
    def shape(self) -> list[int]:
        """The sizes of the dimensions in a file; a new list."""
        return list(self._shape)

    @property
    def data_ptr(self) -> int:
        """Address of the first byte."""
        return self._pointer

    @property
    def data_len(self) -> int:
        """Number of bytes."""
        return self._length

    def __repr__(self) -> str:
        return (
            f"TensorSpec(dtype='{self._code}', shape={self._shape}, data_ptr={self._pointer}, data_len={self._length})"
        )


def serialize(tensor_dict: dict[str, Any], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these tensors, by name: :class:`TensorSpec`, or, as before version 0.8, dicts with
    ``dtype``, ``shape`` and ``data``, any contiguous buffer. Raises TypeError for anything else, SafetensorError when
    the tensors are not sound.
    """
    check_metadata(metadata)
    collected = collect(tensor_dict)
    with reference_errors():
        return _save.serialize(collected, Options(metadata))


def serialize_file(
    tensor_dict: dict[str, Any], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes the file of :func:`serialize` to ``filename``, which it replaces in one step. Raises what that raises, and
    SafetensorError, which is then an OSError too, when the system fails.
    """
    check_metadata(metadata)
    collected = collect(tensor_dict)
    save_collected(collected, filename, metadata)


def save_collected(
    collected: _native.Tensors, filename: str | os.PathLike[str], metadata: Mapping[str, str] | None
) -> None:
    """Writes what was collected, with the errors of the reference."""
    check_metadata(metadata)
    try:
        path = os.fspath(filename)
    except TypeError:
        kind = type(filename).__name__
        raise TypeError(f"argument 'filename': expected str, bytes or os.PathLike object, not {kind}") from None
    with reference_errors():
        _save.save(collected, path if isinstance(path, str) else os.fsdecode(path), Options(metadata))


def check_metadata(metadata: Any) -> None:
    """Raises the reference's TypeError unless ``metadata`` is None or a dict of str."""
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        _refuse("metadata", metadata, "dict")
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            _refuse("metadata", value if isinstance(key, str) else key, "str")


def collect(tensor_dict: Any) -> _native.Tensors:
    """What the native module saves."""
    if not isinstance(tensor_dict, dict):
        _refuse("tensor_dict", tensor_dict, "dict")
    collected = _native.Tensors()
    with reference_errors():
        for name, tensor in tensor_dict.items():
            if not isinstance(name, str):
                _refuse("tensor_dict", name, "str")
            if isinstance(tensor, TensorSpec):
                collected.add_address(name, tensor._code, tensor._shape, tensor._pointer, tensor._length, None, tensor)
            elif isinstance(tensor, dict) and "data" in tensor:
                _add_dict(collected, name, tensor)
            else:
                _refuse("tensor_dict", tensor, "TensorSpec")
    return collected


def _add_dict(collected: _native.Tensors, name: str, tensor: dict[str, Any]) -> None:
    for field in ("dtype", "shape"):
        if field not in tensor:
            raise SafetensorError(f"Missing `{field}` in {tensor}")
    dtype = tensor["dtype"]
    code = dtype if dtype in BY_CODE else format_code(dtype)
    shape = _sizes(tensor["shape"])
    if dtype == "float4_e2m1fn_x2" and shape:
        shape[-1] = _doubled(shape[-1])
    collected.add(name, code, shape, tensor["data"])


@contextmanager
def reference_errors() -> Iterator[None]:
    """Errors of the library with the words of the reference in front, and of the same class."""
    try:
        yield
    except SafetensorError as error:
        if not error.code:
            raise
        text = _TEXTS.get(error.code)
        message = f"{text}: {error}" if text else str(error)
        error.args = (f"Error while serializing: {message}", *error.args[1:])
        raise


def _sizes(shape: Any) -> list[int]:
    if isinstance(shape, str):
        raise TypeError("argument 'shape': Can't extract `str` to `Vec`")
    try:
        sizes = iter(shape)
    except TypeError:
        raise TypeError(f"argument 'shape': '{shape}' is not an instance of 'Sequence'") from None
    return [_unsigned("shape", size) for size in sizes]


def _unsigned(argument: str, number: Any) -> int:
    try:
        value = operator.index(number)
    except TypeError as error:
        raise TypeError(f"argument '{argument}': {error}") from None
    if value < 0:
        raise OverflowError("can't convert negative int to unsigned")
    if value > _MOST:
        raise OverflowError("int too big to convert")
    return value


def _doubled(size: int) -> int:
    if 2 * size > _MOST:
        raise SafetensorError(f"F4 last-dim {size} doubled to logical shape overflows usize")
    return 2 * size


def _refuse(argument: str, found: Any, needed: str) -> NoReturn:
    raise TypeError(f"argument '{argument}': '{type(found).__name__}' object is not an instance of '{needed}'")
