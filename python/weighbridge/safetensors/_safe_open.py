"""``safe_open``: a file for one framework, on one device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from .. import _native
from .._errors import SafetensorError
from .._source import open_file_object
from ._device import parse_device
from ._errors import reference_header_errors, reference_open_errors
from ._frameworks import Reader, check_device, framework_name, make_reader

_PREFIX = "Error while deserializing header"


class _Settings:
    """The arguments beside the file, checked before it is touched."""

    def __init__(self, framework: Any, device: Any, backend: Any) -> None:
        self.name = framework_name(framework)
        self.device = parse_device(device)
        if backend not in ("mmap", "pread"):
            raise SafetensorError(f'backend "{backend}" is invalid (expected one of: "mmap", "pread")')
        self.mapped = backend == "mmap"

    def reader(self, file: _native.File) -> Reader:
        check_device(self.name, self.device)
        return make_reader(self.name, file, self.device)


class safe_open:
    """Opens a safetensors file for a framework: ``with safe_open(path, framework="pt") as f: f.get_tensor("a")``.

    ``framework`` is pt/torch/pytorch, np/numpy, tf/tensorflow, jax/flax, mlx or paddle; ``device`` a str, an int, None
    or a ``torch.device`` (torch and paddle only); ``backend`` is ``"mmap"`` or ``"pread"``. Raises SafetensorError, and
    the OSError that the system gave, e.g. FileNotFoundError. Any thread may use it.
    """

    def __init__(self, filename: Any, framework: Any, device: Any = "cpu", *, backend: Any = "mmap") -> None:
        settings = _Settings(framework, device, backend)
        path = os.fspath(filename)
        with reference_header_errors(_PREFIX), reference_open_errors(filename):
            file = _native.File.open_path(os.fsdecode(path), settings.mapped)
        self._start(file, settings)

    def _start(self, file: _native.File, settings: _Settings) -> None:
        self._open: tuple[_native.File, Reader] | None = (file, settings.reader(file))

    def _parts(self) -> tuple[_native.File, Reader]:
        if self._open is None:
            raise SafetensorError("File is closed", code="InvalidArgument")
        return self._open

    def _find(self, name: str) -> tuple[_native.File, Reader, int]:
        file, reader = self._parts()
        number = file.find(name)
        if number is None:
            raise SafetensorError(f"File does not contain tensor {name}", code="TensorNotFound", tensor=name)
        return file, reader, number

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, *_: object) -> None:
        self._open = None

    def keys(self) -> list[str]:
        """All names, ordered by code point."""
        return self._parts()[0].names()

    def offset_keys(self) -> list[str]:
        """All names, in order of their offsets; of tensors without bytes in the header's order."""
        return self._parts()[0].offset_names()

    def metadata(self) -> dict[str, str] | None:
        """``__metadata__``, ordered by key; None when there is none."""
        return self._parts()[0].metadata()

    def get_tensor(self, name: str) -> Any:
        """The whole tensor."""
        _, reader, number = self._find(name)
        return reader.tensor(number)

    def get_tensors(self) -> dict[str, Any]:
        """All tensors, in order of their offsets."""
        return self._parts()[1].tensors()

    def get_slice(self, name: str) -> PySafeSlice:
        """The tensor for slicing: ``f.get_slice("a")[:, :2]`` reads only what it gives."""
        return PySafeSlice(*self._find(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._parts()[0].find(name) is not None

    def __len__(self) -> int:
        return len(self._parts()[0])

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())


class _safe_open_handle(safe_open):
    """The same for an open file: its descriptor is used, and never opened again by its path."""

    def __init__(self, f: Any, framework: Any, device: Any = "cpu", *, backend: Any = "mmap") -> None:
        settings = _Settings(framework, device, backend)
        f.fileno  # noqa: B018 - the reference asks for the attribute, and for AttributeError without it
        with reference_header_errors(_PREFIX), reference_open_errors(getattr(f, "name", f)):
            file = open_file_object(f, settings.mapped)
        self._start(file, settings)


class PySafeSlice:
    """One tensor, to be sliced. It keeps the file open."""

    def __init__(self, file: _native.File, reader: Reader, number: int) -> None:
        self._reader = reader
        self._number = number
        _, self._dtype, self._shape, _, _ = file.info(number)

    def get_shape(self) -> list[int]:
        """Sizes of the dimensions, as the file has them."""
        return list(self._shape)

    def get_dtype(self) -> str:
        """The dtype as the format calls it, e.g. ``"F32"``."""
        return self._dtype

    def __getitem__(self, index: Any) -> Any:
        """A slice, with numpy's indexing."""
        return self._reader.slice(self._number, index)
