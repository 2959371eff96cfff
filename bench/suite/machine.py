"""What the figures belong to: the machine, its settings, and the versions of everything that is compared."""

from __future__ import annotations

import importlib.metadata
import mmap
import os
import platform
import time
from pathlib import Path
from typing import Any

from suite.meter import fields_of, kibibytes

PACKAGES = ("weighbridge", "safetensors", "fastsafetensors", "runai-model-streamer", "torch", "numpy")
LEFT_FREE = 4 << 30
LARGE_PAGE = 2 << 20
REPORTS = Path("/sys/module/page_reporting")
REPORTED_AFTER_S = 2.3  # Linux gathers for 2 s what is free, and reports it then.


def text_of(path: Path) -> str:
    """The content of a file of the kernel, or "unknown"."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return "unknown"


def version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def file_system_of(folder: Path) -> str:
    """The type of the file system: the mount with the longest path above the folder."""
    place = folder.resolve()
    best, kind = Path("/"), "unknown"
    for line in text_of(Path("/proc/self/mounts")).splitlines():
        fields = line.split()
        point = Path(fields[1])
        if place.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, fields[2]
    return kind


def read_ahead_of(folder: Path) -> str:
    """read_ahead_kb of the device, which for a partition is that of its disk."""
    device = folder.stat().st_dev
    block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    for place in (block, block.resolve().parent):
        if (place / "queue" / "read_ahead_kb").exists():
            return text_of(place / "queue" / "read_ahead_kb")
    return "unknown"


def huge_pages() -> str:
    """The mode that is chosen, of those that are listed."""
    text = text_of(Path("/sys/kernel/mm/transparent_hugepage/enabled"))
    return next((word.strip("[]") for word in text.split() if word.startswith("[")), text)


def processor() -> str:
    for line in text_of(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def describe(folder: Path) -> dict[str, Any]:
    memory = fields_of(Path("/proc/meminfo"))
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(kibibytes(memory, "MemTotal") / 2**30, 1),
        "kernel": platform.release(),
        "file_system": file_system_of(folder),
        "read_ahead_kb": read_ahead_of(folder),
        "transparent_huge_pages": huge_pages(),
        "python": platform.python_version(),
        "packages": {package: version_of(package) for package in PACKAGES},
    }


class BackedMemory:
    """So much memory, as far as it is free, that a host backs, because every page of it is touched.

    A host takes back what is free, and to fetch a page from there takes longer than to read it from many disks. So this
    is taken before each measurement and held while its process prepares, and given back right before the clock runs.
    In large pages, where there are any: that is much faster, and they are what is given out next.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._memory: mmap.mmap | None = None
        self.take()

    def take(self) -> None:
        free = kibibytes(fields_of(Path("/proc/meminfo")), "MemFree")
        size = max(0, min(self._wanted, free - LEFT_FREE)) // LARGE_PAGE * LARGE_PAGE
        if size > 0:
            self._memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            self._memory.madvise(mmap.MADV_HUGEPAGE)
            for place in range(0, size, mmap.PAGESIZE):
                self._memory[place] = 1

    def outlast_reports(self) -> None:
        """Waits until the kernel has told its host of what was free before, where it does: what is given back after
        that is not reported while a work of a second uses it."""
        if self._memory is not None and REPORTS.exists():
            time.sleep(REPORTED_AFTER_S)

    def give_back(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def __enter__(self) -> BackedMemory:
        return self

    def __exit__(self, *error: object) -> None:
        self.give_back()
