"""torch: tensors over one private mapping of the file."""

from __future__ import annotations

from threading import Lock
from typing import Any

import torch

from .. import _native
from .. import torch as own
from .._errors import SafetensorError


class TorchReader:
    """On the CPU all tensors and contiguous slices are views of one private mapping, as the reference's."""

    def __init__(self, file: _native.File, device: str | int) -> None:
        self._file = file
        self._device = _torch_device(device)
        self._mapping: _native.Arena | None = None
        self._lock = Lock()

    def tensor(self, number: int) -> torch.Tensor:
        if self._device.type != "cpu" or not self._file.mapped:
            return own.load_one(self._file, number, self._device)
        code, shape = self._file.spec(number)
        self._file.expect(number)
        return own.tensor_of(self._arena().memory(number), code, shape)

    def tensors(self) -> dict[str, torch.Tensor]:
        if self._device.type == "cpu" and self._file.mapped:
            return own.tensors_of(self._file, self._arena())
        return own.load_native(self._file, self._device)

    def slice(self, number: int, index: Any) -> torch.Tensor:
        if self._device.type == "meta":
            return self.tensor(number)[index]
        whole = self._arena().memory(number) if self._file.mapped else None
        tensor = own.read_index(self._file, number, index, whole)
        return tensor if self._device.type == "cpu" else tensor.to(self._device)

    def _arena(self) -> _native.Arena:
        with self._lock:
            if self._mapping is None:
                self._mapping = _native.Arena.private(self._file)
            return self._mapping


def _torch_device(device: str | int) -> torch.device:
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise SafetensorError(f"device {device} is invalid: {error}") from error
