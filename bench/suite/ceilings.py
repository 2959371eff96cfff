"""What the machine can do at best, in the same conditions: copies, reads and writes without any format."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from suite.model import Case, Contender, Work

BLOCK = 2**20


def blocks(size: int, length: int = BLOCK) -> list[int]:
    return list(range(0, size, length))


def memcpy(path: Path) -> Work:
    """One thread copies from the mapped file into memory that has its pages already."""
    import numpy as np

    source = np.memmap(path, np.uint8, "r")
    target = np.ones(source.size, np.uint8)
    return lambda: np.copyto(target, source)


def read(path: Path) -> Work:
    """One thread reads into memory that has its pages already."""
    import numpy as np

    target = memoryview(np.ones(path.stat().st_size, np.uint8))

    def work() -> None:
        with path.open("rb", buffering=0) as file:
            for offset in blocks(len(target), 8 * BLOCK):
                os.preadv(file.fileno(), [target[offset : offset + 8 * BLOCK]], offset)

    return work


def write(source: memoryview, path: Path) -> Work:
    """One thread writes the bytes, 16 MiB at a time."""

    def work() -> None:
        with path.open("wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, len(source))
            for offset in blocks(len(source), 16 * BLOCK):
                part = source[offset : offset + 16 * BLOCK]
                assert os.pwrite(file.fileno(), part, offset) == len(part)

    return work


def copy(source: Path, target: Path) -> Work:
    """One thread has the kernel copy a file."""

    def work() -> Path:
        with source.open("rb") as old, target.open("wb") as new:
            left = source.stat().st_size
            os.posix_fallocate(new.fileno(), 0, left)
            while left > 0:
                left -= os.copy_file_range(old.fileno(), new.fileno(), min(left, 64 * BLOCK))
        return target

    return work


def copy_mapped(source: Path, target: Path) -> Work:
    """A thread for each processor reads a file into the mapping of another, in large pages."""

    def work() -> Path:
        with source.open("rb", buffering=0) as old, target.open("w+b") as new:
            size = source.stat().st_size
            os.posix_fallocate(new.fileno(), 0, size)
            with mmap.mmap(new.fileno(), size) as mapped, memoryview(mapped) as memory:
                mapped.madvise(mmap.MADV_HUGEPAGE)

                def read(at: int) -> int:
                    with memory[at : at + 16 * BLOCK] as part:
                        return os.preadv(old.fileno(), [part], at)

                with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                    assert sum(pool.map(read, blocks(size, 16 * BLOCK))) == size
        return target

    return work


def native(name: str, arguments: Callable[[Case], list[str]]) -> Contender:
    """What bench/native does without any format."""
    return Contender(name, command=lambda case: [str(case.native), "measure", *arguments(case)], ceiling=True)


def device(name: str, arguments: Callable[[Case], list[str]], *more: str) -> Contender:
    """The disk past the page cache, with 16 requests of 1 MiB in flight."""
    return native(name, lambda case: [*arguments(case), str(BLOCK), "16", *more])


def reading(name: str, make: Callable[[Path], Work], path: Callable[[Case], Path]) -> Contender:
    def prepared(case: Case) -> Any:
        return make(path(case))

    return Contender(name, prepared, needs=("numpy",), ceiling=True)
