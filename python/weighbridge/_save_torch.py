"""Saving torch tensors and models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from . import _native, _save, _shared
from ._dtypes import DTYPES
from ._errors import SafetensorError
from ._save import Destination, Durable, Options
from ._writer import Writer

CODES = {getattr(torch, row.torch): row.code for row in DTYPES if row.torch and hasattr(torch, row.torch)}
_PLAIN = (torch.Tensor, torch.nn.Parameter)


def save(
    tensors: Mapping[str, torch.Tensor],
    *,
    metadata: Mapping[str, str] | None = None,
    shared: str = "refuse",
    alignment: int = 8,
    slack: int = 0,
) -> bytes:
    """The bytes of a safetensors file that holds ``tensors``.

    Tensors of any dense layout, on any device, are saved as what they show: transposed, strided, expanded, conjugated
    ones too. dtypes: bool, the integers of 8 to 64 bits, float16/32/64, bfloat16, complex64, the float8 types and
    float4_e2m1fn_x2.

    ``shared`` is what becomes of tensors that share memory: "refuse" raises; "dedupe" saves those that are the same
    tensor once, under the first of their names, and ``metadata[other] = first`` says so; tensors that overlap otherwise
    get their own bytes, as with "copy" all do. ``alignment`` and ``slack`` are those of :func:`weighbridge.numpy.save`.

    Raises TypeError for anything that is no dense tensor, SafetensorError for shared memory and for a dtype that the
    format has not, NotImplementedError for tensors of the meta device.
    """
    kept, metadata = resolve_shared(tensors, metadata, shared)
    return _save.serialize(collect(kept), Options(metadata, alignment, slack))


def save_file(
    tensors: Mapping[str, torch.Tensor],
    destination: Destination,
    *,
    metadata: Mapping[str, str] | None = None,
    shared: str = "refuse",
    max_shard_size: int | str | None = None,
    durable: Durable = False,
    alignment: int = 8,
    slack: int = 0,
    overwrite: bool = True,
) -> None:
    """Writes ``tensors`` (see :func:`save`) to a path, a file descriptor or a binary file object.

    Dense tensors of the CPU are not copied in memory. Those of other devices come over one by one when the destination
    is a path, so that no more than one of a file is in host memory at a time. All other arguments are those of
    :func:`weighbridge.numpy.save_file`.
    """
    kept, metadata = resolve_shared(tensors, metadata, shared)
    options = Options(metadata, alignment, slack, durable, overwrite)
    if max_shard_size is None:
        save_one(kept, destination, options)
    else:
        _save.save_shards(kept, size_of, save_one, destination, max_shard_size, options)


def save_model(
    model: torch.nn.Module,
    destination: Destination,
    *,
    metadata: Mapping[str, str] | None = None,
    shared: str = "dedupe",
    max_shard_size: int | str | None = None,
    durable: Durable = False,
    alignment: int = 8,
    slack: int = 0,
    overwrite: bool = True,
) -> None:
    """Writes the parameters and buffers of ``model``; the arguments are those of :func:`save_file`.

    Tied weights are by default saved once, and :func:`weighbridge.torch.load_model` ties them again.
    """
    save_file(
        model.state_dict(),
        destination,
        metadata=metadata,
        shared=shared,
        max_shard_size=max_shard_size,
        durable=durable,
        alignment=alignment,
        slack=slack,
        overwrite=overwrite,
    )


def save_one(tensors: Mapping[str, torch.Tensor], destination: Destination, options: Options) -> None:
    """One file. From other devices than the CPU tensor by tensor, as long as the file can be written in any order."""
    by_path = not isinstance(destination, int) and not hasattr(destination, "write")
    if by_path and any(not tensor.is_cpu for tensor in tensors.values()):
        _stream(tensors, destination, options)
    else:
        _save.save(collect(tensors), destination, options)


def _stream(tensors: Mapping[str, torch.Tensor], path: Any, options: Options) -> None:
    metadata, alignment, slack = options.layout()
    with Writer(
        path,
        {name: (code_of(name, tensor), tensor_shape(tensor)) for name, tensor in tensors.items()},
        metadata=metadata,
        alignment=alignment,
        slack=slack,
        durable=options.durable,
        overwrite=options.overwrite,
    ) as writer:
        for name, tensor in tensors.items():
            writer.write(name, tensor)


def resolve_shared(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None, shared: str
) -> tuple[Mapping[str, torch.Tensor], Mapping[str, str] | None]:
    """The tensors to be saved and their metadata, after what ``shared`` says; the arguments are not changed."""
    if shared not in ("refuse", "dedupe", "copy"):
        raise ValueError(f"shared is 'refuse', 'dedupe' or 'copy', found {shared!r}")
    check_tensors(tensors)
    if shared == "refuse":
        groups = _shared.find_overlaps(tensors)
        if groups:
            names = ", ".join(f"{{{', '.join(sorted(group))}}}" for group in groups)
            raise SafetensorError(
                f"tensors share memory and would not when they are loaded again: {names}; shared='dedupe' saves equal"
                " ones once, shared='copy' each with its own bytes",
                code="SharedTensors",
            )
    aliases = _shared.exact_aliases(tensors) if shared == "dedupe" else {}
    if not aliases:
        return tensors, metadata
    kept = {name: tensor for name, tensor in tensors.items() if name not in aliases}
    return kept, {**aliases, **(metadata or {})}


def check_tensors(tensors: Mapping[str, torch.Tensor]) -> None:
    """Raises TypeError for the first that is no dense tensor."""
    for name, tensor in tensors.items():
        kind = type(tensor)
        if kind not in _PLAIN and not isinstance(tensor, torch.Tensor):
            raise TypeError(f"tensor {name!r}: expected torch.Tensor, found {kind.__name__}")
        if tensor.layout is not torch.strided:
            raise TypeError(f"tensor {name!r} is sparse; make it dense with .to_dense() to save it")
        if kind not in _PLAIN and is_traceable_wrapper_subclass(tensor):
            raise TypeError(f"tensor {name!r} is a {kind.__name__}, which holds other tensors; save those instead")


def code_of(name: str, tensor: torch.Tensor) -> str:
    """The format's dtype."""
    code = CODES.get(tensor.dtype)
    if code is None:
        raise SafetensorError(f"tensor {name!r}: the format has no dtype for {tensor.dtype}", tensor=name)
    return code


def tensor_shape(tensor: torch.Tensor) -> tuple[int, ...]:
    """The shape in a file, where each element of float4_e2m1fn_x2 counts as the two that it is."""
    shape = tuple(tensor.shape)
    return (*shape[:-1], shape[-1] * 2) if shape and CODES.get(tensor.dtype) == "F4" else shape


def size_of(tensor: torch.Tensor) -> int:
    """Bytes of the tensor in a file."""
    return tensor.nelement() * tensor.element_size()


def host_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in host memory, as it shows itself: conjugated and negated where it is only marked so."""
    if tensor.is_cpu and not tensor.is_neg() and not tensor.is_conj():
        return tensor
    return tensor.detach().to("cpu").resolve_conj().resolve_neg()


def collect(tensors: Mapping[str, torch.Tensor]) -> _native.Tensors:
    """What the native module saves: dense tensors of the CPU where they lie, others copied there."""
    collected = _native.Tensors()
    add_address = collected.add_address
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            raise TypeError(f"tensors must be named by str, found {type(name).__name__}")
        code = CODES.get(tensor.dtype)
        lies_plainly = tensor.is_cpu and tensor.is_contiguous() and not tensor.is_neg() and not tensor.is_conj()
        if code is not None and code != "F4" and lies_plainly and (address := tensor.data_ptr()):
            add_address(name, code, tensor.shape, address, tensor.nbytes, None, tensor)
        else:
            add_tensor(collected, name, tensor)
    return collected


def add_tensor(collected: _native.Tensors, name: str, tensor: torch.Tensor) -> None:
    """Adds one tensor to what is saved."""
    code = code_of(name, tensor)
    host = host_tensor(tensor)
    strides = None
    if not host.is_contiguous():
        if code == "F4":
            host = host.contiguous()
        else:
            width = host.element_size()
            strides = [stride * width for stride in host.stride()]
    address, size = host.data_ptr(), host.nbytes
    if size and not address:
        raise SafetensorError(f"tensor {name!r} has no memory: its storage was freed", tensor=name)
    collected.add_address(name, code, tensor_shape(host) if code == "F4" else host.shape, address, size, strides, host)
