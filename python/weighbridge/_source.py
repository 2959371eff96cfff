"""What can be opened: paths, descriptors, file objects, buffers, lists of shards, and index files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from . import _native
from ._errors import SafetensorError

Source: TypeAlias = Any
"""A path, a descriptor, a file object, an object with the buffer protocol, or a list of these (shards of one model)."""

BACKENDS = ("auto", "mmap", "pread")


def is_mapped(backend: str) -> bool:
    """Whether files are mapped, where their file system allows it. Raises ValueError for an unknown backend."""
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is none of {', '.join(BACKENDS)}")
    return backend != "pread"


def open_sources(source: Source, *, backend: str = "auto") -> list[_native.File]:
    """Opens all files that ``source`` stands for, in order.

    Raises SafetensorError for a broken file, an index that does not fit its shards, or a name that two shards have;
    subclasses of OSError for what the system refuses.
    """
    mapped = is_mapped(backend)
    if isinstance(source, str | os.PathLike) and str(os.fspath(source)).endswith(".json"):
        return _open_index(Path(source), mapped)
    if isinstance(source, list | tuple):
        files = _open_all(list(source), mapped)
        _check_distinct(files)
        return files
    return [open_one(source, mapped)]


def _open_all(sources: list[Source], mapped: bool) -> list[_native.File]:
    """Paths are opened by several threads."""
    if all(isinstance(source, str | os.PathLike) for source in sources):
        return _native.open_paths(sources, mapped)
    return [open_one(source, mapped) for source in sources]


def open_one(source: Source, mapped: bool = True) -> _native.File:
    """Opens a path, a descriptor, a file object or a buffer."""
    if isinstance(source, str | os.PathLike):
        return _native.File.open_path(source, mapped)
    if isinstance(source, int) and not isinstance(source, bool):
        return _native.File.open_descriptor(source, mapped)
    if isinstance(source, bytes):
        return _native.File.open_buffer(source)
    if hasattr(source, "fileno"):
        return open_file_object(source, mapped)
    return _native.File.open_buffer(source)


def open_file_object(file: Any, mapped: bool = True) -> _native.File:
    """Opens the descriptor of a file object; one that has none (remote, in memory) is read to its end."""
    try:
        descriptor = file.fileno()
    except (OSError, AttributeError):
        file.seek(0)
        return _native.File.open_buffer(file.read())
    return _native.File.open_descriptor(descriptor, mapped)


def _check_distinct(files: Iterable[_native.File]) -> None:
    seen: set[str] = set()
    for file in files:
        names = file.offset_names()
        if not seen.isdisjoint(names):
            name = min(seen.intersection(names))
            raise SafetensorError(f"tensor '{name}' is in two shards", code="NameCollision", tensor=name)
        seen.update(names)


def _open_index(path: Path, mapped: bool) -> list[_native.File]:
    """The shards that an index names, in order of their names."""
    try:
        weight_map = dict(json.loads(path.read_bytes())["weight_map"])
    except (ValueError, TypeError, KeyError) as error:
        message = f"index '{path}' has no object 'weight_map' of names: {error}"
        raise SafetensorError(message, code="MalformedCheckpoint") from error
    weight_map = {tensor: str(shard) for tensor, shard in weight_map.items()}
    names = sorted(set(weight_map.values()))
    files = dict(zip(names, _open_all([_shard_path(path, name) for name in names], mapped), strict=True))
    tensor = _native.first_misplaced(weight_map, files)
    if tensor is not None:
        message = f"tensor '{tensor}' is not in shard '{weight_map[tensor]}', where index '{path}' has it"
        raise SafetensorError(message, code="TensorNotFound", tensor=tensor)
    # Each name of the index is in its shard. If there are no more tensors than names, none is in two.
    if sum(map(len, files.values())) != len(weight_map):
        _check_distinct(files.values())
    return list(files.values())


def _shard_path(index: Path, name: str) -> Path:
    """A shard lies beside its index or below it: an index must not lead to any other file."""
    inside = Path(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise SafetensorError(
            f"index '{index}' names '{name}', which is outside its folder", code="MalformedCheckpoint"
        )
    return index.parent / inside
