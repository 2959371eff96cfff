"""Saving: where to, in how many files, how durably. What is saved, the modules of the frameworks collect."""

from __future__ import annotations

import io
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeVar

from . import _native

Destination: TypeAlias = "str | os.PathLike[str] | int | BinaryIO"
Durable: TypeAlias = "bool | str"
Value = TypeVar("Value")

_MOST_AT_ONCE = 4
_UNITS = {
    "": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}


@dataclass(frozen=True)
class Options:
    """How a file is laid out and written; the public functions say what each field means."""

    metadata: Mapping[str, str] | None = None
    alignment: int = 8
    slack: int = 0
    durable: Durable = False
    overwrite: bool = True
    threads: int = 0  # That move bytes; 0 for as many as pay.

    def layout(self) -> tuple[dict[str, str] | None, int, int]:
        """Metadata, alignment and slack, as the native module takes them."""
        if self.metadata is not None and not isinstance(self.metadata, Mapping):
            raise TypeError(f"metadata must map str to str, found {type(self.metadata).__name__}")
        return None if self.metadata is None else dict(self.metadata), self.alignment, self.slack


def durability(durable: Durable) -> str:
    """The native module's word for ``durable``."""
    if isinstance(durable, bool):
        return "full" if durable else "none"
    return durable


def serialize(tensors: _native.Tensors, options: Options) -> bytes:
    """A whole file in memory, its bytes copied once."""
    return _native.serialize(tensors, *options.layout())


def save(tensors: _native.Tensors, destination: Destination, options: Options) -> None:
    """One file: at a path, into a descriptor, or into a file object from where it stands."""
    if isinstance(destination, (str, os.PathLike)):
        how = (durability(options.durable), options.overwrite, options.threads)
        _native.save(tensors, destination, *options.layout(), *how)
    elif isinstance(destination, int):
        _native.save_descriptor(tensors, destination, *options.layout(), durability(options.durable))
    elif callable(getattr(destination, "write", None)):
        _save_into(tensors, destination, options)
    else:
        kind = type(destination).__name__
        raise TypeError(f"expected a path, a descriptor or a binary file object as the destination, found {kind}")


def _save_into(tensors: _native.Tensors, file: BinaryIO, options: Options) -> None:
    descriptor = _empty_file(file)
    if descriptor is None:
        _write_all(file, serialize(tensors, options))
        return
    _native.save_descriptor(tensors, descriptor, *options.layout(), durability(options.durable))
    file.seek(0, os.SEEK_END)


def _empty_file(file: BinaryIO) -> int | None:
    """The descriptor, where the file object is no more than one and nothing has been written to it."""
    raw = getattr(file, "raw", file)
    if not isinstance(raw, io.FileIO) or not isinstance(file, (io.FileIO, io.BufferedWriter, io.BufferedRandom)):
        return None  # Others may compress, or go to memory.
    file.flush()
    descriptor = raw.fileno()
    empty = stat.S_ISREG(os.fstat(descriptor).st_mode) and os.fstat(descriptor).st_size == 0 and file.tell() == 0
    return descriptor if empty else None


def _write_all(file: BinaryIO, data: bytes) -> None:
    """Unbuffered files may take less than all at once; what gives no number has taken all."""
    rest = memoryview(data)
    while rest:
        written: int | None = file.write(rest)
        rest = rest[len(rest) if written is None else written :]


def shard_bytes(size: int | str) -> int:
    """A number of bytes, with a unit or without: ``"5GB"`` is 5 * 10**9, ``"5GiB"`` 5 * 2**30."""
    if isinstance(size, int):
        count = size
    else:
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?B?)\s*", size.upper())
        if match is None or match[2] not in _UNITS:
            raise ValueError(f"expected a size such as '5GB' or '500MiB', found {size!r}")
        count = int(float(match[1]) * _UNITS[match[2]])
    if count <= 0:
        raise ValueError(f"a shard must hold at least one byte, found {size!r}")
    return count


def save_shards(
    tensors: Mapping[str, Value],
    size_of: Callable[[Value], int],
    save_one: Callable[[Mapping[str, Value], Path, Options], None],
    destination: Destination,
    max_shard_size: int | str,
    options: Options,
) -> None:
    """One file when all fits into it, otherwise ``stem-00001-of-0000N.safetensors`` … and, last, an index.

    An older index of that name goes first, so that a save which fails leaves whole shards and none. Tensors
    keep their order; one that is larger than a shard gets a file of its own.
    """
    if not isinstance(destination, (str, os.PathLike)):
        raise TypeError("several files need a path as their destination")
    path = Path(destination)
    shards = list(_split(tensors, size_of, shard_bytes(max_shard_size)))
    if len(shards) == 1:
        save_one(tensors, path, options)
        return
    place = path.with_name(path.name + ".index.json")
    if options.overwrite:
        place.unlink(missing_ok=True)  # At no moment is an index about other shards than those beside it.
    names = [f"{path.stem}-{number:05}-of-{len(shards):05}{path.suffix}" for number in range(1, len(shards) + 1)]
    at_once = min(len(shards), os.cpu_count() or 1, _MOST_AT_ONCE)
    each = replace(options, threads=max(1, (os.cpu_count() or 1) // at_once))

    def save_shard(shard: Mapping[str, Value], name: str) -> None:
        metadata = _metadata_of(shard, tensors, options.metadata)
        save_one(shard, path.with_name(name), replace(each, metadata=metadata))

    _for_all(save_shard, shards, names, at_once)
    weight_map = {tensor: name for shard, name in zip(shards, names, strict=True) for tensor in shard}
    total = sum(map(size_of, tensors.values()))
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    text = json.dumps(index, indent=2, ensure_ascii=False) + "\n"
    _native.write_text(place, text, durability(options.durable), options.overwrite)


def _for_all(
    work: Callable[[Mapping[str, Value], str], None], shards: list[dict[str, Value]], names: list[str], at_once: int
) -> None:
    """Several at once: writes to one file wait for each other. After a failure no other is begun."""
    with ThreadPoolExecutor(at_once) as pool:
        running = [pool.submit(work, *each) for each in zip(shards, names, strict=True)]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(cancel_futures=True)
    for one in running:
        if not one.cancelled():
            one.result()


def _split(tensors: Mapping[str, Value], size_of: Callable[[Value], int], most: int) -> Iterator[dict[str, Value]]:
    shard: dict[str, Value] = {}
    filled = 0
    for name, tensor in tensors.items():
        size = size_of(tensor)
        if shard and filled + size > most:
            yield shard
            shard, filled = {}, 0
        shard[name] = tensor
        filled += size
    if shard or not tensors:
        yield shard


def _metadata_of(
    shard: Mapping[str, Any], tensors: Mapping[str, Any], metadata: Mapping[str, str] | None
) -> dict[str, str] | None:
    """The metadata of one shard: all but those that name a tensor which another shard holds."""
    if metadata is None:
        return None
    return {key: value for key, value in metadata.items() if value not in tensors or value in shard}
