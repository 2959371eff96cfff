"""How each framework gets its tensors: one small class each, over the functions of the package's own interface."""

from __future__ import annotations

from typing import Any, Protocol

from .. import _native
from .._errors import SafetensorError
from ._device import device_text, is_cpu

_NAMES = {
    "pt": "torch",
    "torch": "torch",
    "pytorch": "torch",
    "np": "numpy",
    "numpy": "numpy",
    "tf": "tensorflow",
    "tensorflow": "tensorflow",
    "jax": "flax",
    "flax": "flax",
    "mlx": "mlx",
    "paddle": "paddle",
}
_WITH_DEVICES = {"torch", "paddle"}


class Reader(Protocol):
    """Tensors of one open file for one framework, on one device."""

    def tensor(self, number: int) -> Any:
        """The whole tensor."""

    def tensors(self) -> dict[str, Any]:
        """All of them, in file order."""

    def slice(self, number: int, index: Any) -> Any:
        """Part of a tensor; only its bytes are read."""


def framework_name(framework: Any) -> str:
    """The framework's one name. Raises SafetensorError for an unknown one."""
    name = _NAMES.get(framework) if isinstance(framework, str) else None
    if name is None:
        raise SafetensorError(f"framework {framework} is invalid")
    return name


def check_device(name: str, device: str | int) -> None:
    """Only torch and paddle have devices."""
    if name not in _WITH_DEVICES and not is_cpu(device):
        raise SafetensorError(f"Device {device_text(device)} is not supported for framework {name}")


def make_reader(name: str, file: _native.File, device: str | int) -> Reader:
    """The reader of a framework, which is imported here. Raises ImportError where it is not installed."""
    if name == "torch":
        from ._read_torch import TorchReader

        return TorchReader(file, device)
    if name == "paddle":
        from ._read_paddle import PaddleReader

        return PaddleReader(file, device)
    from ._read_numpy import NumpyReader, converter

    return NumpyReader(file, converter(name))
