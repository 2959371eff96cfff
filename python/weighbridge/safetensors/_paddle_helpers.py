"""The private helpers of ``safetensors.paddle``: dtypes, and tensors from and to numpy arrays and bytes."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import paddle

from .._dtypes import BY_CODE
from ._spec import NOT_CONTIGUOUS, TensorSpec

# U16 is not among them: what Paddle calls uint16 is its bfloat16.
_SHARED = "F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL C64 F8_E4M3 F8_E5M2"
_TYPES = {
    code: getattr(paddle, str(BY_CODE[code].name))
    for code in _SHARED.split()
    if hasattr(paddle, str(BY_CODE[code].name))
}
_SIZE = {dtype: BY_CODE[code].bits // 8 for code, dtype in _TYPES.items()}
# What numpy has for each, or an integer of that width.
NPDTYPES = {
    dtype: np.dtype(getattr(np, str(BY_CODE[code].name), f"u{_SIZE[dtype]}")) if code != "BOOL" else np.dtype(bool)
    for code, dtype in _TYPES.items()
}


def _getdtype(dtype_str: str) -> Any:
    return _TYPES[dtype_str]


def _view2paddle(safeview: list[tuple[str, dict[str, Any]]], device: str) -> dict[str, paddle.Tensor]:
    """Tensors of what ``deserialize`` gives."""
    return {name: _tensor(view["data"], _getdtype(view["dtype"]), view["shape"], device) for name, view in safeview}


def _tensor(data: bytearray, dtype: Any, shape: list[int], device: str) -> paddle.Tensor:
    tensor = paddle.to_tensor(np.frombuffer(data, NPDTYPES[dtype]).reshape(shape), place=device)
    return tensor if tensor.dtype == dtype else tensor.view(dtype)


def _np2paddle(numpy_dict: Mapping[str, npt.NDArray[Any]], device: str = "cpu") -> dict[str, paddle.Tensor]:
    return {name: paddle.to_tensor(array, place=device) for name, array in numpy_dict.items()}


def _paddle2np(paddle_dict: Mapping[str, paddle.Tensor]) -> dict[str, npt.NDArray[Any]]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in paddle_dict.items()}


def _to_ndarray(tensor: paddle.Tensor, name: str) -> tuple[npt.NDArray[np.uint8], paddle.Tensor]:
    """The bytes of a contiguous tensor in host memory, and the tensor that keeps them."""
    if not tensor.is_contiguous():
        raise ValueError(NOT_CONTIGUOUS.format(name=name))
    host = tensor if tensor.place.is_cpu_place() else tensor.cpu()
    length = host.size * host.element_size()
    if not length:
        return np.empty(0, np.uint8), host
    memory = (ctypes.c_ubyte * length).from_address(host.data_ptr())
    return np.frombuffer(memory, np.uint8), host


def _flatten(tensors: dict[str, paddle.Tensor], keep_alive_buffer: list[Any]) -> dict[str, TensorSpec]:
    """Each tensor as a TensorSpec over host memory, which ``keep_alive_buffer`` keeps."""
    if not isinstance(tensors, dict):
        raise ValueError(f"Expected a dict of [str, paddle.Tensor] but received {type(tensors)}")
    specs = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, paddle.Tensor):
            raise ValueError(f"Key `{name}` is invalid, expected paddle.Tensor but received {type(tensor)}")
        data, host = _to_ndarray(tensor, name)
        keep_alive_buffer.append((data, host))
        dtype = str(host.dtype).rpartition(".")[2]
        specs[name] = TensorSpec(dtype=dtype, shape=list(host.shape), data_ptr=data.ctypes.data, data_len=data.nbytes)
    return specs
