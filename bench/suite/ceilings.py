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
DEPTH = 16


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


def direct_read(path: Path) -> Work:
    """16 requests of 1 MiB at a time, past the page cache, into memory that has its pages already."""
    size = path.stat().st_size
    memory = mmap.mmap(-1, -(-size // BLOCK) * BLOCK)
    memory[:: mmap.PAGESIZE] = b"x" * (len(memory) // mmap.PAGESIZE)
    target = memoryview(memory)

    def work() -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
        with ThreadPoolExecutor(DEPTH) as pool:
            done = pool.map(lambda at: os.preadv(descriptor, [target[at : at + BLOCK]], at), blocks(size))
            assert sum(done) >= size
        os.close(descriptor)

    return work


def page_aligned(size: int) -> memoryview:
    """Memory of whole blocks, with its pages, full of something."""
    memory = mmap.mmap(-1, -(-size // BLOCK) * BLOCK)
    for offset in blocks(len(memory)):
        memory[offset : offset + BLOCK] = b"x" * BLOCK
    return memoryview(memory)


def write(source: memoryview, path: Path, length: int = 16 * BLOCK, *, direct: bool = False) -> Work:
    """Buffered writes by one thread, or 8 direct ones at a time with the file and its folder synced."""

    def work() -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | (os.O_DIRECT if direct else 0)
        descriptor = os.open(path, flags, 0o644)
        os.posix_fallocate(descriptor, 0, len(source))
        with ThreadPoolExecutor(8 if direct else 1) as pool:
            put: Callable[[int], int] = lambda at: os.pwrite(descriptor, source[at : at + length], at)  # noqa: E731
            assert sum(pool.map(put, blocks(len(source), length))) == len(source)
        if direct:
            os.fsync(descriptor)
        os.close(descriptor)

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


def reading(name: str, make: Callable[[Path], Work], path: Callable[[Case], Path]) -> Contender:
    def prepared(case: Case) -> Any:
        return make(path(case))

    return Contender(name, prepared, needs=("numpy",), ceiling=True)
