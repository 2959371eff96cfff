"""Where progress is shown: a function of two numbers, or a bar of tqdm's kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast


class ProgressBar(Protocol):
    """What is used of a tqdm object."""

    total: Any

    def update(self, n: int, /) -> object:
        """Advances the bar by `n`."""

    def refresh(self) -> object:
        """Draws the bar."""


ProgressTarget = Callable[[int, int], object] | ProgressBar | type[Any]


class Meter:
    """Steps of a work as calls of ``show(done, total)``; the last step waits until all is done."""

    def __init__(self, show: Callable[[int, int], object]) -> None:
        self._show = show
        self._last: tuple[int, int] | None = None

    def step(self, done: int, total: int) -> None:
        """Shows a step, unless it is the last one."""
        if done < total:
            self._show(done, total)
        else:
            self._last = (done, total)

    def finish(self) -> None:
        """Shows the last step."""
        if self._last is not None:
            self._show(*self._last)


@contextmanager
def open_progress(target: ProgressTarget | None, title: str) -> Iterator[Meter]:
    """The meter of a target; a bar that is made here is closed at the end."""
    if target is None:
        yield Meter(lambda done, total: None)
    elif isinstance(target, type):
        bar = target(desc=title, unit="B", unit_scale=True, unit_divisor=1024)
        try:
            yield Meter(_bar_steps(bar))
        finally:
            bar.close()
    elif hasattr(target, "update"):
        yield Meter(_bar_steps(cast(ProgressBar, target)))
    else:
        yield Meter(target)


def _bar_steps(bar: ProgressBar) -> Callable[[int, int], None]:
    shown = 0

    def show(done: int, total: int) -> None:
        nonlocal shown
        if bar.total != total:
            bar.total = total
            bar.refresh()
        bar.update(done - shown)
        shown = done

    return show
