"""What the figures belong to: the machine, its settings, and the versions of everything that is compared."""

from __future__ import annotations

import importlib.metadata
import mmap
import os
import platform
from pathlib import Path
from typing import Any

from suite.meter import fields_of, kibibytes

PACKAGES = ("weighbridge", "safetensors", "fastsafetensors", "runai-model-streamer", "torch", "numpy")
LEFT_FREE = 4 << 30
LARGE_PAGE = 2 << 20


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


def back_memory(wanted: int) -> int:
    """Takes so much memory, as far as it is free, and gives it back, so that a host backs it before a clock runs.

    Hosts take back what has been free for seconds, so this is done before each measurement, in front of what the
    measured process prepares: the caches of the processor stay as that leaves them. In large pages, where there are
    any: that is much faster, and they are what is given out next. Gives the bytes that were taken.
    """
    free = kibibytes(fields_of(Path("/proc/meminfo")), "MemFree")
    size = max(0, min(wanted, free - LEFT_FREE)) // LARGE_PAGE * LARGE_PAGE
    if size > 0:
        with mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
            memory.madvise(mmap.MADV_HUGEPAGE)
            for place in range(0, size, mmap.PAGESIZE):
                memory[place] = 1
    return size
