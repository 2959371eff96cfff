"""A file, open for reading: a lazy mapping of names to stored tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import _native
from ._errors import SafetensorError, SafetensorKeyError
from ._source import Source, open_sources

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

    from .torch import DeviceLike


class StoredTensor:
    """One tensor of an open file. Nothing is read before it is asked for; valid after the file is closed."""

    __slots__ = ("_code", "_file", "_number", "name", "offset", "shape", "size_in_bytes")

    def __init__(self, file: _native.File, number: int) -> None:
        self._file = file
        self._number = number
        self.name, self._code, self.shape, begin, end = file.info(number)
        self.offset = file.data_begin + begin
        self.size_in_bytes = end - begin

    @property
    def dtype(self) -> str:
        """The dtype as the format calls it, e.g. ``"BF16"``."""
        return self._code

    @property
    def ndim(self) -> int:
        """Number of dimensions; 0 for a scalar."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"StoredTensor({self.name!r}, {self._code}, {list(self.shape)})"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a scalar has no length")
        return self.shape[0]

    def buffer(self) -> memoryview:
        """The tensor's bytes, read-only: without a copy where the file is mapped."""
        return memoryview(self._file.view(self._number))

    def numpy(self, *, copy: bool = False) -> npt.NDArray[Any]:
        """The tensor as an array: a read-only view, or a writable copy in memory of its own."""
        from .numpy import array_of

        memory = self._file.read(self._number) if copy else self._file.view(self._number)
        return array_of(memory, self._code, self.shape)

    def torch(self, device: DeviceLike = "cpu") -> torch.Tensor:
        """The tensor as a torch tensor on ``device``; on the CPU large ones are a private mapping of the file."""
        import torch

        from .torch import load_one

        return load_one(self._file, self._number, torch.device(device))

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        """A slice as a writable array, with numpy's indexing; reads only its bytes."""
        from .numpy import read_index

        return read_index(self._file, self._number, index)

    def slice(self, index: Any, framework: str = "numpy") -> Any:
        """A slice as a ``"numpy"`` array or a ``"torch"`` tensor, with numpy's indexing; reads only its bytes."""
        if framework == "numpy":
            return self[index]
        if framework != "torch":
            raise ValueError(f"framework {framework!r} is none of numpy, torch")
        from .torch import read_index

        return read_index(self._file, self._number, index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.numpy(copy=bool(copy))
        return array if dtype is None else array.astype(dtype, copy=False)

    def __dlpack__(self, **_: Any) -> Any:
        """The tensor for any framework that knows DLPack, in memory of its own."""
        return _native.to_dlpack(self._file.detach(self._number), self._code, self.shape)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


class File(Mapping[str, StoredTensor]):
    """The tensors of one file, or of several shards, by name and in file order.

    Opening costs the header alone, whatever the number of tensors. Objects are made when they are asked for. A name
    that is not there is a SafetensorError that is also a KeyError. Any thread may use it.
    """

    def __init__(self, files: list[_native.File]) -> None:
        self._files: list[_native.File] | None = files

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file. Tensors and arrays taken from it stay valid."""
        self._files = None

    def _open_files(self) -> list[_native.File]:
        if self._files is None:
            raise SafetensorError("File is closed", code="InvalidArgument")
        return self._files

    def __getitem__(self, name: str) -> StoredTensor:
        for file in self._open_files():
            number = file.find(name)
            if number is not None:
                return StoredTensor(file, number)
        raise SafetensorKeyError(f"File does not contain tensor {name}", code="TensorNotFound", tensor=name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(file.find(name) is not None for file in self._open_files())

    def __len__(self) -> int:
        return sum(len(file) for file in self._open_files())

    def __iter__(self) -> Iterator[str]:
        for file in self._open_files():
            yield from file.offset_names()

    def __repr__(self) -> str:
        return "File(closed)" if self._files is None else f"File({len(self)} tensors)"

    @property
    def metadata(self) -> dict[str, str] | None:
        """``__metadata__``, ordered by key; None when there is none. Of shards the first that has any."""
        return next((m for file in self._open_files() if (m := file.metadata()) is not None), None)

    @property
    def size_in_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(file.data_bytes for file in self._open_files())

    def numpy(self, *, copy: bool = False) -> dict[str, npt.NDArray[Any]]:
        """All tensors as arrays: see :func:`weighbridge.numpy.load_file`."""
        from .numpy import load_native

        return {name: array for file in self._open_files() for name, array in load_native(file, copy).items()}

    def torch(self, device: DeviceLike = "cpu") -> dict[str, torch.Tensor]:
        """All tensors as torch tensors: see :func:`weighbridge.torch.load_file`."""
        import torch

        from .torch import load_native

        place = torch.device(device)
        return {name: tensor for file in self._open_files() for name, tensor in load_native(file, place).items()}


def open(source: Source, *, backend: str = "auto") -> File:
    """Opens a safetensors file: a path, a descriptor, a file object, or a buffer.

    A list of these are the shards of one model, and the path of an ``index.json`` stands for the shards that it names.
    A descriptor is duplicated and never opened again by its path. ``backend`` is ``"auto"`` or ``"mmap"``, which map
    files on local file systems, or ``"pread"``, which only reads. Raises SafetensorError, and subclasses of OSError.
    """
    return File(open_sources(source, backend=backend))
