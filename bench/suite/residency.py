"""Putting files into the page cache and out of it, and looking whether they are there."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path

PAGE = mmap.PAGESIZE
CACHESTAT = 451  # The number of the system call, on every architecture; Linux 6.5 or later.

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class _Range(ctypes.Structure):
    _fields_ = (("offset", ctypes.c_uint64), ("length", ctypes.c_uint64))


class _Statistics(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("cache", "dirty", "writeback", "evicted", "recently_evicted"))


def cached_pages(path: Path) -> int:
    """How many pages of the file lie in the page cache."""
    with path.open("rb") as file:
        found = _by_cachestat(file.fileno())
        return _by_mincore(file.fileno()) if found is None else found


def _by_cachestat(descriptor: int) -> int | None:
    """Nothing where the kernel has no such call."""
    whole, statistics = _Range(0, 0), _Statistics()
    failed = _libc.syscall(CACHESTAT, descriptor, ctypes.byref(whole), ctypes.byref(statistics), 0)
    return None if failed else int(statistics.cache)


def _by_mincore(descriptor: int) -> int:
    size = os.fstat(descriptor).st_size
    if size == 0:
        return 0
    address = _libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0)
    flags = ctypes.create_string_buffer((size + PAGE - 1) // PAGE)
    failed = _libc.mincore(address, size, flags)
    _libc.munmap(address, size)
    if failed:
        raise OSError(ctypes.get_errno(), "mincore")
    return sum(byte & 1 for byte in flags.raw[: (size + PAGE - 1) // PAGE])


def share_cached(paths: Iterable[Path]) -> float:
    """How much of the files is in the page cache, from 0 to 1."""
    files = list(paths)
    pages = sum((path.stat().st_size + PAGE - 1) // PAGE for path in files)
    return sum(map(cached_pages, files)) / pages if pages else 0.0


def evict(paths: Iterable[Path]) -> float:
    """Drops the files out of the page cache; gives what is left of them there, which should be nothing."""
    files = list(paths)
    for _ in range(5):
        for path in files:
            with path.open("rb") as file:
                os.fsync(file.fileno())  # Dirty pages stay.
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        left = share_cached(files)
        if left == 0:
            break
    return left


def warm(paths: Iterable[Path]) -> float:
    """Reads files that are not in the page cache; gives how much of them is, which should be all.

    Of a file that is there in part all is read anew: gaps are filled with small pages, which cost far more to map.
    """
    files = list(paths)
    for path in files:
        if share_cached([path]) < 1:
            evict([path])
            with path.open("rb", buffering=0) as file:
                while file.read(8 << 20):
                    pass
    return share_cached(files)
