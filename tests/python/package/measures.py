"""What a process holds: counted before and after work that should leave nothing behind."""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def mappings_of(path: Path | str) -> int:
    """How many mappings of a file this process has."""
    name = str(path)
    return sum(line.rstrip().removesuffix(" (deleted)").endswith(name) for line in open_maps())


def open_maps() -> list[str]:
    return Path("/proc/self/maps").read_text().splitlines()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


@dataclass(frozen=True)
class Held:
    """Memory blocks of Python's allocator, references to None, open files, mappings, resident bytes."""

    blocks: int
    nones: int
    files: int
    mappings: int
    resident: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        return cls(
            blocks=sys.getallocatedblocks(),
            nones=sys.getrefcount(None),
            files=len(list(Path("/proc/self/fd").iterdir())),
            mappings=len(open_maps()),
            resident=resident_bytes(),
        )

    def since(self, before: Held) -> Held:
        """What has come on top of BEFORE."""
        return Held(*(getattr(self, name) - getattr(before, name) for name in self.__dataclass_fields__))


def growth(work: Callable[[], object], rounds: int) -> Held:
    """What ROUNDS of WORK leave behind, caches filled by a few rounds before."""
    for _ in range(rounds // 4):
        work()
    before = Held.now()
    for _ in range(rounds):
        work()
    return Held.now().since(before)


def cached_pages(path: Path) -> int:
    """How many pages of a file are in memory, whoever brought them."""
    libc = ctypes.CDLL(None, use_errno=True)
    pages = -(-path.stat().st_size // PAGE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE) as mapping:
        start = (ctypes.c_char * 1).from_buffer(mapping)
        states = ctypes.create_string_buffer(pages)
        length = ctypes.c_size_t(pages * PAGE)
        assert libc.mincore(ctypes.c_void_p(ctypes.addressof(start)), length, states) == 0
        del start
    return sum(state & 1 for state in states.raw[:pages])


def evict(path: Path) -> None:
    """Drops a file out of memory, where its file system can: on tmpfs it stays."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
