"""Which torch tensors share memory, and which of their names a file keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import torch


def storage_ptr(tensor: torch.Tensor) -> int:
    """Address of the first byte of the tensor's storage; 0 when it has none."""
    try:
        return tensor.untyped_storage().data_ptr()
    except NotImplementedError:  # the meta device
        return 0


def storage_size(tensor: torch.Tensor) -> int:
    """Bytes of the tensor's storage, which may be more than the tensor's own."""
    try:
        return tensor.untyped_storage().nbytes()
    except NotImplementedError:
        return tensor.nelement() * tensor.element_size()


def end_ptr(tensor: torch.Tensor) -> int:
    """Address behind the last byte of the tensor; its first when it is empty."""
    if not tensor.nelement():
        return tensor.data_ptr()
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.data_ptr() + (last + 1) * tensor.element_size()


def is_complete(tensor: torch.Tensor) -> bool:
    """Whether the tensor covers its whole storage."""
    size = tensor.nelement() * tensor.element_size()
    return tensor.data_ptr() == storage_ptr(tensor) and size == storage_size(tensor)


def find_shared_tensors(state_dict: Mapping[str, torch.Tensor]) -> list[set[str]]:
    """Names by storage, in the order of the dict. Of a storage whose tensors do not overlap each is alone."""
    groups: defaultdict[tuple[torch.device, int, int], set[str]] = defaultdict(set)
    for name, tensor in state_dict.items():
        if tensor.device.type == "meta":
            continue
        pointer, size = storage_ptr(tensor), storage_size(tensor)
        if pointer and size:
            groups[tensor.device, pointer, size].add(name)
    return filter_shared_not_shared(list(groups.values()), state_dict)


def filter_shared_not_shared(tensors: Iterable[set[str]], state_dict: Mapping[str, torch.Tensor]) -> list[set[str]]:
    """Splits each group of names where no tensor in front reaches over to one behind."""
    filtered: list[set[str]] = []
    for group in tensors:
        if len(group) < 2:
            filtered.append(group)
            continue
        ranges = sorted((state_dict[name].data_ptr(), end_ptr(state_dict[name]), name) for name in group)
        reach = None
        for begin, end, name in ranges:
            if reach is None or begin >= reach:
                filtered.append({name})
            else:
                filtered[-1].add(name)
            reach = end if reach is None else max(reach, end)
    return filtered


def remove_duplicate_names(
    state_dict: Mapping[str, torch.Tensor],
    *,
    preferred_names: Iterable[str] | None = None,
    discard_names: Iterable[str] | None = None,
) -> dict[str, list[str]]:
    """For each name that is kept those that are not, since they share its memory.

    Kept is one that covers the whole storage: if possible among ``preferred_names``, else not among ``discard_names``,
    and of these the first by name. Raises RuntimeError where none covers it.
    """
    preferred, discard = set(preferred_names or ()), set(discard_names or ())
    removed: dict[str, list[str]] = {}
    for shared in find_shared_tensors(state_dict):
        complete = {name for name in shared if is_complete(state_dict[name])}
        if not complete:
            raise RuntimeError(_none_complete(shared))
        keep = min(preferred & complete or complete - discard or complete)
        others = sorted(shared - {keep})
        if others:
            removed[keep] = others
    return removed


def _none_complete(shared: set[str]) -> str:
    return (
        "Error while trying to find names to remove to save state dict, but found no suitable name to keep for saving"
        f" amongst: {shared}. None is covering the entire storage.Refusing to save/load the model since you could be"
        " storing much more memory than needed. Please refer to"
        " https://huggingface.co/docs/safetensors/torch_shared_tensors for more information. Or open an issue."
    )


def exact_aliases(tensors: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """The names of tensors that are the very same bytes, shape and dtype as one that comes first by name: that one."""
    first: dict[tuple[object, ...], str] = {}
    aliases: dict[str, str] = {}
    for name in sorted(tensors):
        tensor = tensors[name]
        if tensor.device.type == "meta" or not tensor.nelement():
            continue
        shown = (tensor.dtype, tensor.shape, tensor.stride(), tensor.is_conj(), tensor.is_neg())
        place = (tensor.device, tensor.data_ptr(), *shown)
        keep = first.setdefault(place, name)
        if keep != name:
            aliases[name] = keep
    return aliases


def find_overlaps(tensors: Mapping[str, torch.Tensor]) -> list[set[str]]:
    """The groups of find_shared_tensors that have more than one name."""
    if not _any_overlap(tensors.values()):
        return []
    return [group for group in find_shared_tensors(tensors) if len(group) > 1]


def _any_overlap(tensors: Iterable[torch.Tensor]) -> bool:
    """Whether any two have a byte in common: a look at addresses alone, which costs a fraction of one at storages."""
    ranges = [
        (begin := tensor.data_ptr(), begin + tensor.nbytes if tensor.is_contiguous() else end_ptr(tensor))
        for tensor in tensors
    ]
    ranges.sort()
    reach = 0
    for begin, end in ranges:
        if begin < reach and begin < end:
            return True
        reach = max(reach, end)
    return False
