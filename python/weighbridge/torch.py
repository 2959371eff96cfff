"""Reading into torch tensors, and saving them.

Tensors on the CPU share one private mapping of their file, which lives as long as any of them: loading costs neither
reads nor memory, and writing to a tensor takes a copy of the touched pages and never changes the file. F4 is
``float4_e2m1fn_x2``, whose last dimension is half of the file's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from . import _native
from ._cuda import load_to_cuda
from ._dtypes import BY_CODE, DTYPES
from ._errors import SafetensorError
from ._index import SplitIndex, split_index
from ._load import Mode, ReportTarget, make_arenas
from ._load import load_slices as load_planned
from ._model import load_into
from ._save_torch import save, save_file, save_model
from ._source import Source, open_sources

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["load", "load_file", "load_model", "load_slices", "save", "save_file", "save_model"]

DeviceLike: TypeAlias = "str | int | torch.device"

# The function behind torch.utils.dlpack.from_dlpack, without a detour through Python for each tensor.
_from_dlpack = torch._C._from_dlpack


def load_file(
    source: Source,
    device: DeviceLike = "cpu",
    *,
    backend: str = "auto",
    mode: Mode = "auto",
    report: ReportTarget = None,
) -> dict[str, torch.Tensor]:
    """Loads all tensors of a file, a list of shards, or the shards of an ``index.json``, onto ``device``.

    On the CPU the tensors are a private mapping of the file (``mode="view"``); with ``mode="copy"`` they are read into
    memory of their own by several threads, with ``"direct"`` past the page cache. ``"auto"`` is a view unless files are
    not mapped (``backend="pread"``, network file systems). On ``"meta"`` they have shapes and no bytes.

    ``report`` is given a :class:`weighbridge.LoadReport`, on the CPU. Keys are in file order. Raises SafetensorError,
    and subclasses of OSError.
    """
    place = torch.device(device)
    files = open_sources(source, backend=backend)
    if place.type != "cpu":
        return {name: tensor for file in files for name, tensor in load_native(file, place).items()}
    arenas = make_arenas(files, mode, "private", report)
    return {
        name: tensor
        for file, arena in zip(files, arenas, strict=True)
        for name, tensor in tensors_of(file, arena).items()
    }


def load_slices(
    source: Source,
    slices: Mapping[str, Any],
    *,
    backend: str = "auto",
    mode: Mode = "auto",
    report: ReportTarget = None,
) -> dict[str, torch.Tensor]:
    """Loads slices of a file, or of several: ``{name: index}`` gives ``{name: tensor}``.

    What a rank of a tensor-parallel model takes. A slice that is one range of bytes is a view, unless ``mode`` is
    ``"copy"`` or ``"direct"``; the others are read in one go, by several threads, and nothing else is. An index is
    numpy's, of integers, slices, None and an ellipsis; ``mode`` and ``report`` are those of :func:`load_file`. Raises
    SafetensorError, and subclasses of OSError.
    """
    loaded: dict[str, torch.Tensor] = load_planned(open_sources(source, backend=backend), slices, mode, report, _build)
    return loaded


def _build(memory: _native.Memory, code: str, shape: Sequence[int], split: SplitIndex) -> torch.Tensor:
    return _finish(tensor_of(memory, code, shape), code, split)


def check_destination(tensor: torch.Tensor, code: str) -> int:
    """The size of a tensor that takes one of that dtype. Raises SafetensorError when it cannot."""
    if tensor.device.type != "cpu" or not tensor.is_contiguous():
        raise SafetensorError("a destination must be contiguous and on the CPU", code="InvalidArgument")
    if tensor.dtype not in (torch_dtype(code), torch.uint8):
        raise SafetensorError(f"the tensor is {code}, the destination {tensor.dtype}", code="InvalidArgument")
    return tensor.numel() * tensor.element_size()


def load(buffer: Buffer, device: DeviceLike = "cpu") -> dict[str, torch.Tensor]:
    """The same from a file in memory, which is copied."""
    return load_native(_native.File.open_buffer(buffer), torch.device(device))


def load_model(
    model: torch.nn.Module,
    source: Source,
    *,
    strict: bool = True,
    device: DeviceLike = "cpu",
    backend: str = "auto",
) -> tuple[list[str], list[str]]:
    """Loads a file, or its shards, into a model, and ties the tensors that :func:`save_model` saved once.

    Gives the names that the file lacks and those that the model lacks, in order; with ``strict`` any of them is a
    RuntimeError. The other arguments are those of :func:`load_file`.
    """
    missing, unexpected = load_into(model, load_file(source, device, backend=backend), strict)
    return sorted(missing), sorted(unexpected)


def load_native(file: _native.File, device: torch.device) -> dict[str, torch.Tensor]:
    """All tensors of an open file on a device, in file order."""
    if device.type == "meta":
        return {name: meta_tensor(code, shape) for name, code, shape in file.table()}
    if device.type == "cuda":
        return load_to_cuda(file, device)
    tensors = tensors_of(file, _native.Arena.private(file))
    return tensors if device.type == "cpu" else {name: tensor.to(device) for name, tensor in tensors.items()}


def load_one(file: _native.File, number: int, device: torch.device) -> torch.Tensor:
    """One tensor of an open file on a device, in memory of its own."""
    code, shape = file.spec(number)
    if device.type == "meta":
        return meta_tensor(code, shape)
    if device.type == "cuda":
        return load_to_cuda(file, device, [number]).popitem()[1]
    tensor = tensor_of(file.detach(number), code, shape)
    return tensor if device.type == "cpu" else tensor.to(device)


def tensors_of(file: _native.File, arena: _native.Arena) -> dict[str, torch.Tensor]:
    """All tensors of an arena, over its memory."""
    _check_dtypes(file)
    capsules = _native.to_dlpacks(file, arena, _direct_codes())
    tensors = dict(zip(file.offset_names(), map(_from_dlpack, capsules), strict=True))
    if len(_direct_codes()) < len(torch_codes()):
        for name, code, _ in file.table():
            tensors[name] = tensors[name].view(torch_dtype(code))
    return tensors


def tensor_of(memory: _native.Memory, code: str, shape: Sequence[int]) -> torch.Tensor:
    """The tensor of that dtype and shape over ``memory``."""
    direct = code in _direct_codes()
    dtype = torch_dtype(code)
    tensor: torch.Tensor = _from_dlpack(_native.to_dlpack(memory, code, shape, direct))
    return tensor if direct else tensor.view(dtype)


def read_index(file: _native.File, number: int, index: Any, whole: _native.Memory | None = None) -> torch.Tensor:
    """A slice of one tensor, with numpy's indexing; reads only its bytes.

    ``whole`` is the tensor's memory where it is there already: a slice that is one range of it is a view. F4 is indexed
    as the file has it, element by element, and cut where a byte ends. What is no basic index (lists, tensors, masks) is
    applied to the whole tensor, as torch has it.
    """
    code, shape = file.spec(number)
    if plain := _cut(file, number, index, whole):
        return tensor_of(plain[1], code, plain[0])
    split = split_index(index, shape)
    read = None if split is None else _cut(file, number, split.read, whole)
    if split is None or read is None:
        return tensor_of(file.read(number) if whole is None else whole, code, shape)[index]
    return _finish(tensor_of(read[1], code, read[0]), code, split)


def _finish(tensor: torch.Tensor, code: str, split: SplitIndex) -> torch.Tensor:
    """What the native module does not do of an index."""
    if split.flips:
        tensor = _flip_f4(tensor, split.flips) if code == "F4" else tensor.flip(split.flips)
    return tensor if split.expand is None else tensor[split.expand]


def _cut(
    file: _native.File, number: int, index: Any, whole: _native.Memory | None
) -> tuple[tuple[int, ...], _native.Memory] | None:
    if whole is None:
        return _native.read_slice(file, number, index)
    return _native.cut_slice(file, number, index, whole)


def _flip_f4(tensor: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """Along the last dimension the two elements of each byte change places too."""
    packed = tensor.view(torch.uint8).flip(axes)
    if tensor.ndim - 1 in axes:
        packed = (packed << 4) | (packed >> 4)
    return packed.view(tensor.dtype)


@cache
def torch_dtype(code: str) -> torch.dtype:
    """The dtype of a code of the format. Raises SafetensorError for one that this torch does not have."""
    dtype = getattr(torch, BY_CODE[code].torch or "", None)
    if not isinstance(dtype, torch.dtype):
        raise SafetensorError(f"Dtype not understood: {code}", code="Unsupported")
    return dtype


def shape_of(code: str, shape: Sequence[int]) -> Sequence[int]:
    """The shape that torch has for a shape of the file."""
    return (*shape[:-1], shape[-1] // 2) if code == "F4" else shape


def meta_tensor(code: str, shape: Sequence[int]) -> torch.Tensor:
    """A tensor without bytes."""
    return torch.empty(shape_of(code, shape), dtype=torch_dtype(code), device="meta")


def _check_dtypes(file: _native.File) -> None:
    """Refuses a file with dtypes that this torch does not have, naming one."""
    missing = {dtype.code for dtype in DTYPES} - set(torch_codes())
    if not missing.isdisjoint(file.codes()):
        torch_dtype(min(missing.intersection(file.codes())))


@cache
def torch_codes() -> tuple[str, ...]:
    """What this torch has a dtype for."""
    return tuple(d.code for d in DTYPES if isinstance(getattr(torch, d.torch or "", None), torch.dtype))


@cache
def _direct_codes() -> tuple[str, ...]:
    """What this torch takes by DLPack as it is; the rest goes through integers of the same width."""
    return tuple(code for code in torch_codes() if _takes(code))


def _takes(code: str) -> bool:
    header = b'{"empty":{"dtype":"%s","shape":[2,0],"data_offsets":[0,0]}}' % code.encode()
    empty = _native.File.open_buffer(len(header).to_bytes(8, "little") + header).read(0)
    try:
        tensor = _from_dlpack(_native.to_dlpack(empty, code, (2, 0)))
    except (RuntimeError, BufferError, ValueError):
        return False
    return bool(tensor.dtype == torch_dtype(code))
