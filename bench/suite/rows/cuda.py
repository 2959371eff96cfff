"""G: from the page cache onto a CUDA device, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from suite import inputs, loaders
from suite.model import OURS, Case, Contender, Gate, Row, Work
from suite.rows.load import as_pt, large

CUDA = "cuda"
WHEEL, FAST, PICKLE, PINNED = "safetensors torch", "fastsafetensors", "torch.load mmap", "copy from pinned memory"
Load = Callable[[Path, str], Work]
# Each package in the configuration that its documentation calls the fastest for one device.
LOADS: dict[str, tuple[Load, tuple[str, ...]]] = {
    OURS: (loaders.torch_ours, ("weighbridge.torch",)),
    "weighbridge mirror, torch": (loaders.torch_mirror, ("weighbridge.safetensors.torch",)),
    WHEEL: (loaders.torch_wheel, ("safetensors.torch",)),
    FAST: (loaders.fast, ("fastsafetensors",)),
    PICKLE: (loaders.torch_load, ()),
}


def start(device: str, size: int) -> None:
    """Has the device ready, and torch keep as much of its memory as is needed."""
    import torch

    torch.empty(size, dtype=torch.uint8, device=device)


def wait(device: str) -> None:
    """Until the device has done all that it was told to do."""
    import torch

    if device != "cpu":
        torch.cuda.synchronize(device)


def onto(load: Load, device: str, path: Path) -> Work:
    """Everything of the file is on the device when the work ends."""
    start(device, path.stat().st_size)
    work = load(path, device)

    def work_and_wait() -> Any:
        loaded = work()
        wait(device)
        return loaded

    return work_and_wait


def pinned(path: Path, device: str) -> Work:
    """One copy of as many bytes, out of memory that the device reads by itself."""
    import torch

    size = path.stat().st_size
    source = torch.ones(size, dtype=torch.uint8, pin_memory=device != "cpu")
    target = torch.ones(size, dtype=torch.uint8, device=device)
    return lambda: target.copy_(source, non_blocking=True)


def loading(name: str, load: Load, needs: tuple[str, ...], *, ceiling: bool = False) -> Contender:
    def make(case: Case) -> Work:
        return onto(load, CUDA, large(case))

    return Contender(name, make, needs=("suite.cuda", *needs), digest=loaders.digest, ceiling=ceiling)


def files(case: Case) -> list[Path]:
    path = large(case)
    return [path, inputs.made(path.with_suffix(".pt"), as_pt(path))]


ROWS = (
    Row(
        "G1",
        "torch: load 1 GiB onto a CUDA device",
        (*(loading(name, *how) for name, how in LOADS.items()), loading(PINNED, pinned, (), ceiling=True)),
        files,
        (Gate(WHEEL), Gate(FAST), Gate(PICKLE), Gate(PINNED)),
    ),
)
