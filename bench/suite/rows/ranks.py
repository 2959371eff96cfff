"""T: one model and several processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from suite import ceilings, inputs, loaders, names, touching
from suite.model import OURS, Bound, Case, Contender, Gate, Row, Work
from suite.rows.load import large

COLUMNS = 14336  # A row is 56 KiB, of which a rank of eight wants 7.


def matrices(case: Case) -> Path:
    """1 GiB in 8 matrices."""

    def make(path: Path) -> None:
        import safetensors.numpy

        safetensors.numpy.save_file(inputs.arrays(int(1024 * inputs.MIB * case.scale), 8, COLUMNS), path)
        inputs.sync(path)

    return inputs.made(case.folder / "matrices.safetensors", make)


def column(package: str, **options: Any) -> Callable[[Case], Work]:
    """The second of eight parts of the columns of every matrix."""

    def make(case: Case) -> Work:
        import importlib

        module = importlib.import_module(package)
        path, width = matrices(case), COLUMNS // 8

        def work() -> dict[str, Any]:
            with module.safe_open(path, "pt", **options) as file:
                parts = ((name, file.get_slice(name)[:, width : 2 * width]) for name in file.keys())  # noqa: SIM118
                return {name: part.contiguous() for name, part in parts}

        return work

    return make


def copied(case: Case) -> list[str]:
    """As many bytes of each row, by threads of a program that knows of no tensors."""
    row, part = COLUMNS * 4, COLUMNS * 4 // 8
    return ["copy_columns", str(matrices(case)), str(row), str(part), str(part)]


def slices() -> Row:
    def contender(name: str, package: str, **options: Any) -> Contender:
        needs = (package, f"{package}.torch")
        return Contender(name, column(package, **options), needs=needs, digest=names.of_tensors)

    return Row(
        "T1",
        "torch: an eighth of the columns of 1 GiB, warm",
        (
            contender(OURS, "weighbridge.safetensors"),
            contender("safetensors mmap", "safetensors", backend="mmap"),
            contender("safetensors pread", "safetensors", backend="pread"),
            ceilings.native("rows copied, into new memory", copied),
        ),
        lambda case: [matrices(case)],
        (Gate("safetensors mmap", 1.5, 3), Gate("safetensors pread", 15, 25)),
    )


class Second:
    """A second process that loads and touches the same; it ends when this is dropped."""

    def __init__(self, work: Callable[[], Any]) -> None:
        loaded, self._say_loaded = os.pipe()
        self._until, self._end = os.pipe()
        if os.fork() == 0:
            self._be_second(work)
        os.close(self._say_loaded)
        os.close(self._until)
        self._loaded = loaded

    def _be_second(self, work: Callable[[], Any]) -> None:
        os.close(self._end)
        held = work()
        os.write(self._say_loaded, b"." if held is not None else b"")
        os.read(self._until, 1)
        os._exit(0)

    def wait(self) -> None:
        assert os.read(self._loaded, 1) == b"."

    def __del__(self) -> None:
        os.close(self._end)
        os.wait()


def twice(load: Callable[[Path], Work]) -> Callable[[Case], Work]:
    """Two processes load the file and touch all of it."""

    def make(case: Case) -> Work:
        work = load(large(case))

        def touched() -> Any:
            loaded = work()
            touching.touch_pages(loaded)
            return loaded

        def both() -> tuple[Any, Second]:
            second = Second(touched)
            loaded = touched()
            second.wait()
            return loaded, second

        return both

    return make


def processes() -> Row:
    def contender(name: str, load: Callable[[Path], Work], needs: tuple[str, ...]) -> Contender:
        return Contender(name, twice(load), needs=needs, digest=lambda both: loaders.digest(both[0]))

    return Row(
        "T2",
        "two processes load the same 1 GiB: memory of both (PSS), in sizes of the file",
        (
            contender(OURS, *loaders.FASTEST_OURS["view"]),
            contender("weighbridge mirror, torch", *loaders.PEERS["weighbridge mirror, torch"]),
            contender("safetensors torch", *loaders.PEERS["safetensors torch"]),
            contender("safetensors numpy", *loaders.PEERS["safetensors numpy"]),
        ),
        lambda case: [large(case)],
        (Bound(1.05, 1.01),),
        metric="pss",
        unit="x",
        per=lambda case: large(case).stat().st_size,
    )


ROWS = (slices(), processes())
