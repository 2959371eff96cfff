"""Loading into memory that is there already, and what there is to tell about loads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from . import _native
from ._errors import CancelledError, SafetensorError, SafetensorKeyError
from ._index import split_index
from ._progress import ProgressTarget, open_progress
from ._source import Source, open_sources

Mode: TypeAlias = Literal["auto", "view", "copy", "direct"]
"""How bytes come into memory: as a view of the file, copied, or copied past the page cache."""

ReportTarget: TypeAlias = "Callable[[LoadReport], object] | None"
"""A function that is given the report of a load: ``print`` will do."""

MODES = ("auto", "view", "copy", "direct")


@dataclass(frozen=True)
class LoadedFile:
    """What was done with one file, and why."""

    path: str
    mode: str
    why: str
    bytes_wanted: int
    bytes_read: int
    io_uring: bool


@dataclass(frozen=True)
class LoadReport:
    """What a load did. As text it is a line for each file and one for all."""

    files: tuple[LoadedFile, ...]
    threads: int
    seconds: float
    text: str = field(repr=False)

    @property
    def bytes_wanted(self) -> int:
        """Bytes of all tensors and slices."""
        return sum(file.bytes_wanted for file in self.files)

    @property
    def bytes_read(self) -> int:
        """Bytes asked of the files, with what lies between ranges that were read as one."""
        return sum(file.bytes_read for file in self.files)

    def __str__(self) -> str:
        return self.text.rstrip("\n")


def load_into(
    destinations: Mapping[str, Any] | Iterable[tuple[str, Any, Any]],
    source: Source,
    *,
    mode: Mode = "auto",
    threads: int = 0,
    io_uring: bool = True,
    prefault: bool = True,
    coalesce_gap: int = 64 << 10,
    progress: ProgressTarget | None = None,
    cancel: Any = None,
) -> LoadReport:
    """Fills arrays, tensors and buffers with tensors and slices of one file or of several, all in one go.

    ``destinations`` maps names of tensors to what takes them, or lists ``(name, index, destination)``, where the index
    is numpy's with steps forwards (None or ``...``: the whole tensor). A destination is contiguous memory of the host:
    a torch tensor, a numpy array, or any object with the buffer protocol or DLPack. Of arrays and tensors shape and
    dtype are compared, of bare bytes the size. ``source`` is what :func:`weighbridge.open` takes; nothing is read for
    tensors that are not named.

    ``mode`` says how: ``"view"`` copies out of a mapping, ``"copy"`` reads through the page cache, ``"direct"`` past
    it; ``"auto"`` chooses for each file. ``threads`` is 0 for as many as pay. Ranges nearer than ``coalesce_gap`` bytes
    are read as one. ``progress`` and ``cancel`` are as those of :func:`weighbridge.convert`.

    Raises SafetensorError before anything is read when something does not fit, CancelledError, and subclasses of
    OSError.
    """
    check_mode(mode)
    plan = _native.LoadPlan()
    shards = Shards(open_sources(source))
    items: Iterable[tuple[str, Any, Any]] = (
        ((name, ..., out) for name, out in destinations.items()) if isinstance(destinations, Mapping) else destinations
    )
    for name, index, destination in items:
        file, number = shards.find(name)
        _add(plan, file, number, ... if index is None else index, destination)
    with open_progress(progress, "load") as meter:

        def step(done: int, total: int) -> None:
            if cancel is not None and cancel.is_set():
                raise CancelledError("the load was cancelled", code="Cancelled")
            meter.step(done, total)

        report = report_of(plan.load(mode, threads, io_uring, prefault, coalesce_gap, step))
        meter.finish()
    return report


class Shards:
    """Names over several open files."""

    def __init__(self, files: list[_native.File]) -> None:
        self.files = files

    def find(self, name: str) -> tuple[_native.File, int]:
        """The file that has the tensor, and its number there."""
        for file in self.files:
            number = file.find(name)
            if number is not None:
                return file, number
        raise SafetensorKeyError(f"File does not contain tensor {name}", code="TensorNotFound", tensor=name)


def load_slices(
    files: list[_native.File], slices: Mapping[str, Any], mode: Mode, report: ReportTarget, build: Callable[..., Any]
) -> dict[str, Any]:
    """Slices of several files: ``build(memory, code, shape, split)`` makes the result.

    Those that are one range of bytes are views where ``mode`` is "auto" or "view" and the file is mapped.
    """
    check_mode(mode)
    _check_viewable(files, mode)
    plan = _native.LoadPlan()
    shards = Shards(files)
    views = {file: _native.Arena.private(file) for file in files if file.mapped and mode in ("auto", "view")}
    made: list[tuple[str, Any]] = []
    for name, index in slices.items():
        file, number = shards.find(name)
        code, shape = file.spec(number)
        split = split_index(index, shape)
        whole = views[file].memory(number) if file in views else None
        part = None if split is None else plan.make(file, number, split.read, whole)
        if split is None or part is None:
            raise ValueError(f"tensor '{name}': the index {index!r} is not one of numpy's basic indices")
        made.append((name, (part[1], code, part[0], split)))
    done = report_of(plan.load(mode))
    if report is not None:
        report(done)
    return {name: build(*arguments) for name, arguments in made}


def make_arenas(files: list[_native.File], mode: Mode, kind: str, report: ReportTarget) -> list[_native.Arena]:
    """All tensors of each file, in the way that ``mode`` says; ``kind`` of view is "shared" or "private"."""
    check_mode(mode)
    _check_viewable(files, mode)
    arenas = []
    for file in files:
        if mode in ("auto", "view"):
            arenas.append(_native.Arena.private(file) if kind == "private" else _native.Arena.shared(file))
        else:
            arenas.append(_native.Arena.owned(file, "direct" if mode == "direct" else "auto"))
    if report is not None:
        report(_report_of_arenas(files, arenas))
    return arenas


def check_mode(mode: str) -> None:
    """Raises ValueError for a mode that there is not."""
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is none of {', '.join(MODES)}")


def _check_viewable(files: list[_native.File], mode: str) -> None:
    if mode == "view" and not all(file.mapped for file in files):
        raise SafetensorError("mode 'view' needs files that can be mapped", code="InvalidArgument")


def report_of(done: tuple[list[tuple[str, str, str, int, int, bool]], int, float, str]) -> LoadReport:
    """The report of the native module."""
    files, threads, seconds, text = done
    return LoadReport(tuple(LoadedFile(*file) for file in files), threads, seconds, text)


def keep_memory(size: int | None = None) -> tuple[int, int]:
    """How many bytes are kept of the memory that copies had, for the next ones: (at most, at the moment).

    With ``size`` this is set first; 0 gives back all that is kept, and keeps nothing. Before it is set it is a quarter
    of the machine's memory. All but the latest 256 MiB of what is kept is lent to the kernel, which takes it when
    memory is short, for this process or another; until then it counts as memory of this process. Filling memory anew
    is several times faster than having the kernel make and clear it.
    """
    if size is not None:
        _native.set_kept_memory(size)
    return _native.kept_memory()


def _report_of_arenas(files: list[_native.File], arenas: list[_native.Arena]) -> LoadReport:
    reports = []
    for file, arena in zip(files, arenas, strict=True):
        if arena.report is not None:
            reports.append(report_of(arena.report))
            continue
        viewed = LoadedFile(file.name, "view", "no copy was asked for", file.data_bytes, 0, False)
        text = f"'{viewed.path}': view, {viewed.bytes_wanted} bytes: {viewed.why}\n"
        reports.append(LoadReport((viewed,), 0, 0.0, text))
    return LoadReport(
        tuple(file for report in reports for file in report.files),
        max((report.threads for report in reports), default=0),
        sum(report.seconds for report in reports),
        "".join(report.text for report in reports),
    )


def _add(plan: _native.LoadPlan, file: _native.File, number: int, index: Any, destination: Any) -> None:
    code, _ = file.spec(number)
    if _is_torch(destination):
        from .torch import check_destination

        size = check_destination(destination, code)
        shape = plan.add_address(file, number, index, destination.data_ptr(), size, destination)
    elif _has_buffer(destination):
        shape = plan.add(file, number, index, _bytes_of(destination))
        _check_dtype(file, number, destination, code)
    else:
        shape = plan.add_dlpack(file, number, index, destination.__dlpack__())
    if shape is None:
        raise ValueError(
            f"tensor '{file.info(number)[0]}': the index {index!r} is not integers, slices and an ellipsis"
        )
    _check_shape(file, number, destination, code, shape)


def _is_torch(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "data_ptr")


def _has_buffer(value: Any) -> bool:
    if hasattr(value, "__array_interface__"):
        return True
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


def _bytes_of(value: Any) -> Any:
    """numpy exports no buffer of ml_dtypes' types: their bytes are taken."""
    if not hasattr(value, "__array_interface__"):
        return value
    if not value.flags.c_contiguous:
        raise ValueError("a destination must be contiguous")
    return value.reshape(-1).view("u1") if value.ndim else value.reshape(1).view("u1")


def _check_dtype(file: _native.File, number: int, destination: Any, code: str) -> None:
    if not hasattr(destination, "__array_interface__"):
        return
    from .numpy import numpy_dtype

    if code != "F4" and destination.dtype not in (numpy_dtype(code), "u1"):
        _refuse(file, number, f"is {code}, the destination {destination.dtype}")


def _check_shape(file: _native.File, number: int, destination: Any, code: str, shape: tuple[int, ...]) -> None:
    bare = isinstance(destination, memoryview) or str(getattr(destination, "dtype", "uint8")).endswith("uint8")
    if bare or code == "F4":
        return
    if tuple(destination.shape) != shape:
        _refuse(file, number, f"gives {list(shape)}, the destination is {list(destination.shape)}")


def _refuse(file: _native.File, number: int, what: str) -> None:
    name = file.info(number)[0]
    raise SafetensorError(f"tensor '{name}' {what}", code="InvalidArgument", tensor=name)
