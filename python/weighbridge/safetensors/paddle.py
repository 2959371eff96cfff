"""``safetensors.paddle``."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import paddle

from ._deserialize import open_bytes
from ._device import parse_device
from ._read_paddle import PaddleReader
from ._safe_open import safe_open
from ._spec import NOT_CONTIGUOUS, TensorSpec, serialize, serialize_file

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["load", "load_file", "save", "save_file"]


def save(tensors: dict[str, paddle.Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these tensors, which are contiguous, on any device.

    Raises ValueError for anything else, SafetensorError for a dtype that the format does not have.
    """
    kept: list[Any] = []
    return serialize(_flatten(tensors, kept), metadata)


def save_file(
    tensors: dict[str, paddle.Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes the file of :func:`save` to ``filename``, which it replaces in one step. Raises OSError too."""
    kept: list[Any] = []
    serialize_file(_flatten(tensors, kept), filename, metadata)


def load(data: Buffer, device: str = "cpu") -> dict[str, paddle.Tensor]:
    """Loads all tensors of a file in memory to ``device``: ``{name: tensor}`` in file order.

    Shapes and dtypes are those of the file. Raises SafetensorError, for U16, F4, F6 and the float8 types that
    Paddle does not have too.
    """
    return PaddleReader(open_bytes(data), parse_device(device)).tensors()


def load_file(
    filename: str | os.PathLike[str], device: str = "cpu", *, backend: str = "mmap"
) -> dict[str, paddle.Tensor]:
    """Loads all tensors of a file, as :func:`load` does; ``backend`` is ``"mmap"`` or ``"pread"``.

    On the CPU tensors are views of one private mapping of the file, which they keep alive: they may be written to, and
    the file stays as it is. Raises OSError too.
    """
    with safe_open(filename, framework="paddle", device=device, backend=backend) as f:
        return f.get_tensors()


def _flatten(tensors: dict[str, paddle.Tensor], keep_alive_buffer: list[Any]) -> dict[str, TensorSpec]:
    """Each tensor as a TensorSpec over host memory, which ``keep_alive_buffer`` keeps."""
    if not isinstance(tensors, dict):
        raise ValueError(f"Expected a dict of [str, paddle.Tensor] but received {type(tensors)}")
    specs = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, paddle.Tensor):
            raise ValueError(f"Key `{name}` is invalid, expected paddle.Tensor but received {type(tensor)}")
        if not tensor.is_contiguous():
            raise ValueError(NOT_CONTIGUOUS.format(name=name))
        host = tensor if tensor.place.is_cpu_place() else tensor.cpu()
        keep_alive_buffer.append(host)
        specs[name] = _spec(host)
    return specs


def _spec(tensor: paddle.Tensor) -> TensorSpec:
    return TensorSpec(
        dtype=str(tensor.dtype).rpartition(".")[2],
        shape=list(tensor.shape),
        data_ptr=tensor.data_ptr() if tensor.size else 0,
        data_len=math.prod(tensor.shape) * tensor.element_size(),
    )
