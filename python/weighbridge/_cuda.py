"""Reading onto a CUDA device: threads read the file into pinned memory while earlier bytes travel to the device.

Memory of the host is bounded by a ring of a few pinned buffers, whatever the size of the file. Each window of the file
is read into the next buffer by the native module's threads, and copied from there on a stream of its own; a buffer is
filled again once its copies are done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import torch

from . import _native

BUFFERS = 4
WINDOW_BYTES = 16 << 20


class Copy(NamedTuple):
    """Bytes of a window that go to a tensor: ``length`` from ``start`` of the window to ``target`` of the tensor."""

    tensor: int
    start: int
    target: int
    length: int


class Window(NamedTuple):
    """A stretch of the file, and where its bytes go."""

    begin: int
    length: int
    copies: list[Copy]


class Ring(Protocol):
    """Buffers that are filled one after the other and emptied in the background."""

    def next_buffer(self) -> torch.Tensor:
        """A buffer of WINDOW_BYTES bytes that nothing reads from any more."""

    def send(self, window: Window, targets: Sequence[torch.Tensor]) -> None:
        """Starts the copies of the buffer that was given last."""

    def finish(self) -> None:
        """Waits for all copies."""


class CudaRing:
    """Pinned buffers, and a stream for the copies."""

    def __init__(self, device: torch.device, bytes_in_all: int) -> None:
        count = min(BUFFERS, max(1, -(-bytes_in_all // WINDOW_BYTES)))
        size = min(WINDOW_BYTES, max(1, bytes_in_all))
        with torch.cuda.device(device):  # or pinning would start a context on the first device
            self._buffers = [torch.empty(size, dtype=torch.uint8, pin_memory=True) for _ in range(count)]
        self._sent: list[torch.cuda.Event] = [torch.cuda.Event() for _ in range(count)]  # type: ignore[no-untyped-call]
        self._turn = -1
        self._stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        # What is copied to may be memory that work on the caller's stream has just let go of.
        self._stream.wait_stream(torch.cuda.current_stream(device))

    def next_buffer(self) -> torch.Tensor:
        self._turn = (self._turn + 1) % len(self._buffers)
        self._sent[self._turn].synchronize()
        return self._buffers[self._turn]

    def send(self, window: Window, targets: Sequence[torch.Tensor]) -> None:
        buffer = self._buffers[self._turn]
        with torch.cuda.stream(self._stream):
            run_copies(buffer, window, targets)
            self._sent[self._turn].record(self._stream)

    def finish(self) -> None:
        self._stream.synchronize()


def load_to_cuda(
    file: _native.File, device: torch.device, numbers: Sequence[int] | None = None
) -> dict[str, torch.Tensor]:
    """All tensors of a file, or those of these ``numbers`` in rising order, on a CUDA device.

    Each is in memory of its own there. They are complete when this returns. Raises RuntimeError without such a device.
    """
    from .torch import shape_of, torch_dtype

    chosen = range(len(file)) if numbers is None else numbers
    infos = [file.info(number) for number in chosen]
    raw = [torch.empty(end - begin, dtype=torch.uint8, device=device) for *_, begin, end in infos]
    spans = [(file.data_begin + begin, file.data_begin + end) for *_, begin, end in infos]
    stream_file(file, spans, raw, CudaRing(device, sum(end - begin for begin, end in spans)))
    return {
        name: tensor.view(torch_dtype(code)).view(shape_of(code, shape))
        for (name, code, shape, _, _), tensor in zip(infos, raw, strict=True)
    }


def stream_file(
    file: _native.File, spans: Sequence[tuple[int, int]], targets: Sequence[torch.Tensor], ring: Ring
) -> None:
    """Copies these stretches of a file, in rising order, each to its target, which has as many bytes."""
    try:
        for window in cut_windows(spans, WINDOW_BYTES):
            buffer = ring.next_buffer()
            file.read_range(window.begin, buffer.data_ptr(), window.length)
            ring.send(window, targets)
    finally:
        ring.finish()


def run_copies(buffer: torch.Tensor, window: Window, targets: Sequence[torch.Tensor]) -> None:
    """Starts the copies of a window from the buffer that holds it."""
    for tensor, start, target, length in window.copies:
        part = targets[tensor][target : target + length]
        part.copy_(buffer[start : start + length], non_blocking=True)


def cut_windows(spans: Sequence[tuple[int, int]], most: int) -> Iterator[Window]:
    """Windows of at most ``most`` bytes over stretches in rising order; those that touch share windows."""
    begin = length = 0
    copies: list[Copy] = []
    for tensor, (at, end) in enumerate(spans):
        done = at
        while done < end:
            if copies and (begin + length != done or length == most):
                yield Window(begin, length, copies)
                copies = []
            if not copies:
                begin, length = done, 0
            taken = min(end - done, most - length)
            copies.append(Copy(tensor, length, done - at, taken))
            length += taken
            done += taken
    if copies:
        yield Window(begin, length, copies)
