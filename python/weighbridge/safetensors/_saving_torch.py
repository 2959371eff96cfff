"""The saving half of ``safetensors.torch``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from .. import _save, _save_torch, _shared
from .._save import Options
from ._spec import NOT_CONTIGUOUS, TensorSpec, check_metadata, reference_errors, save_collected

if TYPE_CHECKING:
    import numpy as np

storage_ptr = _shared.storage_ptr
storage_size = _shared.storage_size
_end_ptr = _shared.end_ptr
_is_complete = _shared.is_complete
_find_shared_tensors = _shared.find_shared_tensors
_filter_shared_not_shared = _shared.filter_shared_not_shared
_remove_duplicate_names = _shared.remove_duplicate_names

# Bytes of an element.
_SIZE = {dtype: dtype.itemsize for dtype in _save_torch.CODES}

_SHARED = """
            Some tensors share memory, this will lead to duplicate memory on disk and potential differences when \
loading them again: {groups}.
            A potential way to correctly save your model is to use `save_model`.
            More information at https://huggingface.co/docs/safetensors/torch_shared_tensors
            """


def save(tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The bytes of a file with these tensors, which are dense, contiguous and share no memory:
    :func:`weighbridge.torch.save`, which asks for less. Raises ValueError for other tensors, RuntimeError for shared
    ones.
    """
    _evaluate_tensors_for_save(tensors)
    check_metadata(metadata)
    collected = _collect(tensors)
    with reference_errors():
        return _save.serialize(collected, Options(metadata))


def save_file(
    tensors: dict[str, torch.Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes the file of :func:`save` to ``filename``: :func:`weighbridge.torch.save_file`."""
    _evaluate_tensors_for_save(tensors)
    if all(tensor.is_cpu for tensor in tensors.values()):
        save_collected(_collect(tensors), filename, metadata)
        return
    check_metadata(metadata)
    with reference_errors():
        _save_torch.save_one(_known(tensors), os.fspath(filename), Options(metadata))


def save_model(
    model: torch.nn.Module,
    filename: str | os.PathLike[str],
    metadata: dict[str, str] | None = None,
    force_contiguous: bool = True,
) -> None:
    """Writes the state dict of ``model``. Of tensors that share memory one is saved, and ``metadata[other] = saved``
    says so, unless ``metadata`` has that key; it is not changed. ``force_contiguous`` packs what is not contiguous.
    """
    state_dict: dict[str, torch.Tensor] = model.state_dict()
    noted = None if metadata is None else dict(metadata)
    for kept, removed in _remove_duplicate_names(state_dict).items():
        for name in removed:
            noted = {} if noted is None else noted
            noted.setdefault(name, kept)
            del state_dict[name]
    if force_contiguous:
        state_dict = {name: tensor.contiguous() for name, tensor in state_dict.items()}
    try:
        save_file(state_dict, filename, metadata=noted)
    except ValueError as error:
        hint = " Or use save_model(..., force_contiguous=True), read the docs for potential caveats."
        raise ValueError(str(error) + hint) from error


def _evaluate_tensors_for_save(tensors: Mapping[str, torch.Tensor]) -> None:
    """Raises, with the words of the reference, for what it does not save."""
    if not isinstance(tensors, dict):
        raise ValueError(f"Expected a dict of [str, torch.Tensor] but received {type(tensors)}")
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise ValueError(f"Key `{name}` is invalid, expected torch.Tensor but received {type(tensor)}")
    sparse = [name for name, tensor in tensors.items() if tensor.layout is not torch.strided]
    if sparse:
        raise ValueError(
            f"You are trying to save a sparse tensors: `{sparse}` which this library does not support. You can make it"
            " a dense tensor before saving with `.to_dense()` but be aware this might make a much larger file than"
            " needed."
        )
    groups = _shared.find_overlaps(tensors)
    if groups:
        raise RuntimeError(_SHARED.format(groups=groups))
    for name, tensor in tensors.items():
        if not tensor.is_contiguous():
            raise ValueError(NOT_CONTIGUOUS.format(name=name))


def _known(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors, whose dtypes the format has; KeyError for the first other dtype."""
    for tensor in tensors.values():
        if tensor.dtype not in _save_torch.CODES:
            raise KeyError(tensor.dtype)
    return tensors


def _collect(tensors: dict[str, torch.Tensor]) -> Any:
    return _save_torch.collect(_known(tensors))


def _to_ndarray(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """The tensor in host memory, without a copy where it lies there: of its own dtype, or unsigned integers as wide."""
    import numpy

    if tensor.dtype not in _save_torch.CODES:
        raise KeyError(tensor.dtype)
    host = _save_torch.host_tensor(tensor).detach().contiguous()
    same = {
        torch.bool,
        torch.complex64,
        torch.float16,
        torch.float32,
        torch.float64,
        torch.int16,
        torch.int32,
        torch.int64,
    }
    if host.dtype in same or host.dtype in (torch.uint8, torch.int8):
        return host.numpy()
    width = numpy.dtype(f"u{host.element_size()}")
    return host.reshape(-1).view(torch.uint8).numpy().view(width).reshape(host.shape)


def _flatten_as_ptr(tensors: dict[str, torch.Tensor], keep_alive_buffer: list[Any]) -> dict[str, TensorSpec]:
    """Each tensor, checked as :func:`save` checks it, as a TensorSpec over bytes that ``keep_alive_buffer`` keeps."""
    _evaluate_tensors_for_save(tensors)
    specs = {}
    for name, tensor in _known(tensors).items():
        host = _save_torch.host_tensor(tensor)
        keep_alive_buffer.append(host)
        dtype = str(tensor.dtype).split(".")[-1]
        specs[name] = TensorSpec(dtype=dtype, shape=tensor.shape, data_ptr=host.data_ptr(), data_len=host.nbytes)
    return specs


def _tobytes(tensor: torch.Tensor, name: str) -> bytes:
    """The bytes of one tensor, as versions before 0.8 had it."""
    _evaluate_tensors_for_save({name: tensor})
    return _to_ndarray(tensor).tobytes()


def _flatten(tensors: dict[str, torch.Tensor]) -> dict[str, dict[str, Any]]:
    """Each tensor as the dict that ``serialize`` takes, as versions before 0.8 had it."""
    _evaluate_tensors_for_save(tensors)
    return {
        name: {"dtype": str(tensor.dtype).split(".")[-1], "shape": tensor.shape, "data": _to_ndarray(tensor).tobytes()}
        for name, tensor in _known(tensors).items()
    }
