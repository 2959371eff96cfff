"""L: loading a whole model that is in the page cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from suite import ceilings, inputs, touching
from suite.loaders import contenders
from suite.model import Case, Gate, Row

WHEEL = "safetensors numpy"


def large(case: Case) -> Path:
    return inputs.large_file(case.folder, case.scale)


def all_formats(case: Case) -> list[Path]:
    """The same tensors in the formats of the packages that have their own."""
    path = large(case)
    return [
        path,
        inputs.made(path.with_suffix(".npz"), as_npz(path)),
        inputs.made(path.with_suffix(".pt"), as_pt(path)),
    ]


def as_npz(source: Path) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        import numpy as np
        import safetensors.numpy

        with path.open("wb") as file:
            np.savez(file, **safetensors.numpy.load_file(source))
        inputs.sync(path)

    return make


def as_pt(source: Path) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        import safetensors.torch
        import torch

        torch.save(safetensors.torch.load_file(source), path)
        inputs.sync(path)

    return make


STREAMERS = ("fastsafetensors", "fastsafetensors, buffered", "runai streamer", "runai streamer, buffered")
FORMATS = (
    "weighbridge mirror",
    WHEEL,
    "safetensors numpy pread",
    "np.load npz",
    "torch.load mmap",
    *STREAMERS,
)
KEPT, INTO = "weighbridge, memory kept", "weighbridge, load_into"
OWNED = (WHEEL, "safetensors numpy pread", *STREAMERS)
LIMITS = (
    ceilings.reading("memcpy into reused memory", ceilings.memcpy, large),
    ceilings.reading("read into reused memory", ceilings.read, large),
)


def many(count: int) -> Row:
    """Tiny tensors into torch, where the price is that of a tensor and not of its bytes."""

    def path(case: Case) -> Path:
        return inputs.tiny_file(case.folder, case.count(count))

    peers = ("weighbridge mirror, torch", "safetensors torch")
    more = ("fastsafetensors", "runai streamer") if count <= 20_000 else ()
    return Row(
        f"L3 {count}",
        f"torch: load {count} tiny tensors",
        contenders("torch", path, (*peers, *more)),
        lambda case: [path(case)],
        (Gate("safetensors torch", 3, 8),),
        per=lambda case: case.count(count),
        unit="s a tensor",
    )


FIRST_COPY = Row(
    "L4",
    "numpy: owned copy of 1 GiB, for the first time in the process",
    (*contenders("copy", large, OWNED), *LIMITS),
    lambda case: [large(case)],
    (Gate(WHEEL, 1.8, 2.4), Gate("runai streamer", 1.0), Gate("runai streamer, buffered", 1.0)),
)
ROWS = (
    Row(
        "L1",
        "numpy: load 1 GiB, nothing touched",
        contenders("view", large, FORMATS),
        all_formats,
        (Gate(WHEEL, 200, 1000),),
    ),
    Row(
        "L2",
        "numpy: load 1 GiB and sum every byte, one thread",
        contenders("view", large, FORMATS, touching.sum_all),
        all_formats,
        (Gate(WHEEL, 4, 7),),
    ),
    *(many(count) for count in (300, 20_000, 100_000)),
    FIRST_COPY,
    replace(
        FIRST_COPY,
        id="L5",
        title="numpy: owned copy of 1 GiB, again in the same process",
        contenders=(*contenders("copy", large, (KEPT, INTO, *OWNED)), *LIMITS),
        judged=(
            Gate(WHEEL, 4, 5),
            Gate(WHEEL, 4, 5, ours=KEPT, when="memory kept"),
            Gate(WHEEL, 4, 5, ours=INTO, when="load_into"),
        ),
        warm_up="full",
    ),
)
