"""What a process has used, read from outside between the phases of its work."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLING_S = 0.002


@dataclass(frozen=True)
class Reading:
    """Counters of a process and of its children that still run."""

    cpu: float
    minor_faults: int
    private_dirty: int
    pss: int
    rss: int
    peak_rss: int
    read_bytes: int  # From the device.
    read_calls_bytes: int  # Through read and its kin, wherever the bytes came from.
    written_bytes: int


def fields_of(path: Path) -> dict[str, str]:
    """A file of lines `key: value`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def kibibytes(fields: dict[str, str], key: str) -> int:
    return int(fields[key].split()[0]) * 1024


def family(pid: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *map(int, children)]


def forget_peak(pid: int) -> None:
    """Lets the peak of the resident memory start anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def read_one(pid: int) -> Reading:
    folder = Path(f"/proc/{pid}")
    rollup = {key: value for key, value in fields_of(folder / "smaps_rollup").items() if value.endswith("kB")}
    status, io = fields_of(folder / "status"), fields_of(folder / "io")
    after_name = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    children_ticks = int(after_name[13]) + int(after_name[14])
    return Reading(
        cpu=time.clock_gettime((~pid << 3) | 2) + children_ticks / TICKS,
        minor_faults=int(after_name[7]) + int(after_name[8]),
        private_dirty=kibibytes(rollup, "Private_Dirty"),
        pss=kibibytes(rollup, "Pss"),
        rss=kibibytes(rollup, "Rss"),
        peak_rss=kibibytes(status, "VmHWM"),
        read_bytes=int(io["read_bytes"]),
        read_calls_bytes=int(io["rchar"]),
        written_bytes=int(io["write_bytes"]),
    )


def read_counters(pid: int) -> Reading:
    """The sum over the process and its children that still run."""
    readings = [read_one(member) for member in family(pid)]
    return Reading(*(sum(values) for values in zip(*(vars(r).values() for r in readings), strict=True)))


def used(before: Reading, after: Reading) -> dict[str, float]:
    """What the work took between two readings."""
    gone = {key: value - vars(before)[key] for key, value in vars(after).items()}
    gone["peak_rss"] = max(0, after.peak_rss - before.rss)
    return gone


class PeakOfPrivateMemory:
    """Follows the private memory of a process while it works. Takes a little of its time."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._first = self._peak = self._now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _now(self) -> int:
        return kibibytes(fields_of(self._status), "RssAnon")

    def _follow(self) -> None:
        while not self._stop.wait(SAMPLING_S):
            self._peak = max(self._peak, self._now())

    def end(self) -> int:
        """Bytes above where it started."""
        self._stop.set()
        self._thread.join()
        return max(self._peak, self._now()) - self._first
