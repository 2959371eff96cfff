"""Writing a file tensor by tensor: for what does not fit into memory at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from . import _native, _save
from ._dtypes import BY_CODE, BY_NAME, BY_TORCH
from ._errors import SafetensorError
from ._save import Durable


class Writer:
    """A safetensors file whose tensors are declared first and written later, in any order, by any number of threads.

    ``specs`` maps each name to ``(dtype, shape)``, or to anything with these two attributes: an array, a tensor of the
    meta device. A dtype is the format's code ("BF16"), a name ("bfloat16"), or that of numpy, ml_dtypes or torch.

    The file appears, complete, with :meth:`finish`; until then there is nothing at ``path``, or the old file. As a
    context manager a writer finishes at the end of the block, and leaves nothing when an exception ends it::

        with weighbridge.Writer("model.safetensors", {"w": ("F32", (1000, 1000))}) as writer:
            writer.write("w", array)

    The keyword arguments are those of :func:`weighbridge.numpy.save_file`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        specs: Mapping[str, Any],
        *,
        metadata: Mapping[str, str] | None = None,
        alignment: int = 8,
        slack: int = 0,
        durable: Durable = False,
        overwrite: bool = True,
    ) -> None:
        self._specs = {name: _spec(name, spec) for name, spec in specs.items()}
        options = _save.Options(metadata, alignment, slack)
        declared = [(name, *spec) for name, spec in self._specs.items()]
        self._native = _native.Writer(path, declared, *options.layout(), _save.durability(durable), overwrite)

    def write(self, name: str, data: Any, *, offset: int | None = None) -> None:
        """Writes a tensor, or from its byte ``offset`` on a part of it. Each byte must be written exactly once.

        ``data`` is a numpy array or torch tensor of the declared dtype (and, without ``offset``, shape), of any memory
        order and device, or any contiguous buffer of raw little-endian bytes.

        Raises SafetensorError for a name, dtype, shape or number of bytes that was not declared, and for bytes that
        were written before; TypeError for data without bytes; OSError when the system fails, and then the file with it.
        """
        torch = sys.modules.get("torch")
        numpy = sys.modules.get("numpy")
        if torch is not None and isinstance(data, torch.Tensor):
            self._write_tensor(name, data, offset)
        elif numpy is not None and isinstance(data, (numpy.ndarray, numpy.generic)):
            self._write_array(name, data, offset)
        else:
            self._native.write(name, data, offset)

    def _write_tensor(self, name: str, tensor: Any, offset: int | None) -> None:
        from . import _save_torch

        self._check(name, _save_torch.code_of(name, tensor), _save_torch.tensor_shape(tensor), offset)
        host = _save_torch.host_tensor(tensor).contiguous()
        self._native.write_address(name, host.data_ptr(), host.nbytes, offset)

    def _write_array(self, name: str, array: Any, offset: int | None) -> None:
        from . import _save_numpy

        code, shape, numbers = _save_numpy.adapt(name, array)
        self._check(name, code, shape, offset)
        self._native.write(name, numbers, offset)

    def _check(self, name: str, code: str, shape: tuple[int, ...], offset: int | None) -> None:
        spec = self._specs.get(name)
        if spec is None:
            return  # The native writer says so, in the same words for all kinds of data.
        if code != spec[0] or (offset is None and shape != spec[1]):
            declared, found = f"{spec[0]} {list(spec[1])}", f"{code} {list(shape)}"
            message = f"tensor {name!r}: {found} was given, {declared} is declared"
            raise SafetensorError(message, code="TensorInvalidInfo", tensor=name)

    @property
    def missing_bytes(self) -> int:
        """Bytes of all tensors that are still to be written."""
        return self._native.missing_bytes()

    def finish(self) -> int:
        """Publishes the file and gives its size. Raises SafetensorError, naming the tensor, while a byte is missing."""
        return self._native.finish()

    def discard(self) -> None:
        """Gives the file up: nothing is left of it. After :meth:`finish` without effect on the file."""
        self._native.discard()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self.discard()


def _spec(name: str, spec: Any) -> tuple[str, tuple[int, ...]]:
    dtype, shape = spec if isinstance(spec, (tuple, list)) else (spec.dtype, spec.shape)
    code = _code(dtype)
    if code is None:
        raise SafetensorError(f"tensor {name!r}: the format has no dtype for {dtype!r}", tensor=name)
    sizes = tuple(int(size) for size in shape)
    # torch counts bytes of two elements each.
    if code == "F4" and str(dtype) == "torch.float4_e2m1fn_x2" and sizes:
        sizes = (*sizes[:-1], sizes[-1] * 2)
    return code, sizes


def _code(dtype: Any) -> str | None:
    if isinstance(dtype, str) and dtype in BY_CODE:
        return dtype
    word = str(dtype) if isinstance(dtype, str) or str(dtype).startswith("torch.") else getattr(dtype, "name", None)
    if word is None:
        word = getattr(dtype, "__name__", "")
    row = BY_TORCH.get(word.removeprefix("torch.")) or BY_NAME.get(word)
    return row.code if row else None
