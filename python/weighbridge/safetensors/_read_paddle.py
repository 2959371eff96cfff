"""paddle: tensors by DLPack over one private mapping of the file, as torch's."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

import paddle

from .. import _native
from .._dtypes import BY_CODE
from .._errors import SafetensorError
from .._index import split_index
from ._device import is_cpu


class PaddleReader:
    """On the CPU all tensors and contiguous slices are views of one private mapping, as the reference's."""

    def __init__(self, file: _native.File, device: str | int) -> None:
        self._file = file
        self._device = _place(device)
        self._mapping: _native.Arena | None = None
        self._lock = Lock()

    def tensor(self, number: int) -> Any:
        code, shape = self._file.spec(number)
        return self._move(tensor_of(self._memory(number), code, shape))

    def tensors(self) -> dict[str, Any]:
        arena = self._arena()
        return {
            name: self._move(tensor_of(memory, code, shape))
            for (name, code, shape), memory in zip(self._file.table(), arena.memories(), strict=True)
        }

    def slice(self, number: int, index: Any) -> Any:
        code, shape = self._file.spec(number)
        split = split_index(index, shape)
        if split is None:
            return self.tensor(number)[index]
        if self._file.mapped:
            read = _native.cut_slice(self._file, number, split.read, self._memory(number))
        else:
            read = _native.read_slice(self._file, number, split.read)
        if read is None:
            return self.tensor(number)[index]
        tensor = self._move(tensor_of(read[1], code, read[0]))
        if split.flips:
            tensor = paddle.flip(tensor, list(split.flips))
        return tensor if split.expand is None else tensor[split.expand]

    def _move(self, tensor: Any) -> Any:
        return tensor if self._device is None else tensor.to(self._device)

    def _memory(self, number: int) -> _native.Memory:
        return self._arena().memory(number) if self._file.mapped else self._file.read(number)

    def _arena(self) -> _native.Arena:
        if not self._file.mapped:
            return _native.Arena.owned(self._file)
        with self._lock:
            if self._mapping is None:
                self._mapping = _native.Arena.private(self._file)
            return self._mapping


def tensor_of(memory: _native.Memory, code: str, shape: Sequence[int]) -> Any:
    """The tensor over ``memory``. Raises SafetensorError for a dtype that paddle has not, or takes for another."""
    try:
        tensor = paddle.utils.dlpack.from_dlpack(_native.to_dlpack(memory, code, shape))
    except NotImplementedError:
        tensor = None
    if tensor is None or str(tensor.dtype) != f"paddle.{BY_CODE[code].name}":
        raise SafetensorError(f"Dtype not understood: {code}", code="Unsupported")
    return tensor


def _place(device: str | int) -> str | None:
    """The device as paddle calls it; None for the CPU."""
    if is_cpu(device):
        return None
    name = f"cuda:{device}" if isinstance(device, int) else device
    return name.replace("cuda", "gpu")
