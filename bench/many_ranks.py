#!/usr/bin/env python3
"""Many ranks, each loading its part of one model: a pickle, the safetensors wheel, and one plan of Weighbridge.

Each rank is a process of its own, forked from one that has imported everything; all start together, and the time is
that of the last. A rank ends with its slices of every tensor, contiguous, and has looked at every byte of them. The
contenders take turns in an order that is drawn anew in every round. What the ranks hold is compared between the
contenders first, in a run without a clock that also counts:

- bytes read by a rank: those that it got by system calls, as the kernel counts them, and never less than its slices
  have, which is what is looked at of a mapping;
- bytes from the disk: of all ranks, as the kernel counts them (with --cold, which drops the model out of the page
  cache before every run);
- memory: the growth of all ranks' PSS together, at its highest.

Prints a table in Markdown. With --folder the model is made there once and left for the next call.

    pip install . safetensors==0.8.0 torch numpy
    python bench/many_ranks.py --ranks 1 2 4 8
    python bench/many_ranks.py --ranks 1 2 4 8 --cold
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import select
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import safetensors
import torch
import weighbridge.torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples/tensor_parallel"))
from model import make_shard, slice_of, slices_of, write_model
from suite import machine, residency
from suite.statistics import estimate_ratio

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Model:
    """One model in both formats."""

    index: Path
    shards: tuple[Path, ...]
    pickle: Path


@dataclass
class Loaded:
    """A rank's slices, and what keeps mappings until they have been looked at."""

    tensors: Tensors
    open: Any = None


def from_pickle(model: Model, rank: int, ranks: int, *, mmap: bool) -> Loaded:
    """The way without safetensors: every rank loads everything, and keeps its part."""
    state = torch.load(model.pickle, weights_only=True, mmap=mmap)
    parts = {name: tensor[slice_of(name, tuple(tensor.shape), rank, ranks)] for name, tensor in state.items()}
    return Loaded({name: part.clone() for name, part in parts.items()}, open=state if mmap else None)


def from_wheel(model: Model, rank: int, ranks: int) -> Loaded:
    """get_slice of the wheel, shard by shard."""
    tensors, files = {}, []
    for shard in model.shards:
        file = safetensors.safe_open(shard, "pt")
        files.append(file)
        for name in file.keys():  # noqa: SIM118 - no dict
            part = file.get_slice(name)
            tensors[name] = part[slice_of(name, tuple(part.get_shape()), rank, ranks)].contiguous()
    return Loaded(tensors, open=files)


def from_plan(model: Model, rank: int, ranks: int) -> Loaded:
    """All slices of all shards in one call."""
    return Loaded(weighbridge.torch.load_slices(model.index, slices_of(model.index, rank, ranks)))


CONTENDERS: dict[str, Callable[[Model, int, int], Loaded]] = {
    "torch.load": lambda *where: from_pickle(*where, mmap=False),
    "torch.load, mmap": lambda *where: from_pickle(*where, mmap=True),
    "safetensors get_slice": from_wheel,
    "weighbridge load_slices": from_plan,
}


def touch(tensors: Tensors) -> int:
    """Reads every byte, as fast as memory gives them: the sum of all as numbers of eight bytes, and of the rest."""
    total = 0
    for tensor in tensors.values():
        values = tensor.view(torch.int16).numpy().reshape(-1)
        whole = len(values) // 4 * 4
        total += int(values[:whole].view(np.int64).sum()) + int(values[whole:].sum())
    return total


def counted() -> tuple[int, int]:
    """Bytes that this process has read by system calls, and bytes that the disk gave it."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["rchar"]), int(lines["read_bytes"])


def run_rank(load: Callable[[], Loaded], start: int, done: int) -> None:
    """In a child: waits for the start, loads, tells, and stays until it is let go."""
    torch.set_num_threads(1)
    gc.disable()
    os.read(start, 1)
    before = counted()
    loaded = load()
    answer = {"sum": touch(loaded.tensors)}
    os.write(done, json.dumps(answer).encode().ljust(ANSWER))
    os.read(start, 1)
    by_calls, from_disk = (now - then for now, then in zip(counted(), before, strict=True))
    held = sum(tensor.nbytes for tensor in loaded.tensors.values())
    answer = {"read": max(by_calls, held), "disk": from_disk}
    os.write(done, json.dumps(answer).encode().ljust(ANSWER))
    os.read(start, 1)


ANSWER = 200
"""Bytes of each answer of a rank."""

TRIES = 5
"""Of having the model in the page cache: some kernels take pages back all the time that nobody has used for a while."""


class Rank:
    """A process that loads when it is told to."""

    def __init__(self, load: Callable[[], Loaded]) -> None:
        start, self._start = os.pipe()
        self.done, done = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            try:
                os.close(self.done)
                run_rank(load, start, done)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(start)
        os.close(done)

    def go(self) -> None:
        """Lets it load; then tell what it read; then end."""
        os.write(self._start, b"x")

    def is_ready(self) -> bool:
        return bool(select.select([self.done], [], [], 0.002)[0])

    def answer(self) -> dict[str, int]:
        told = os.read(self.done, ANSWER)
        if not told:
            sys.exit("a rank has failed")
        answer: dict[str, int] = json.loads(told)
        return answer

    def end(self) -> None:
        self.go()
        os.waitpid(self.process, 0)
        os.close(self._start)
        os.close(self.done)

    def pss(self) -> int:
        """What it has for itself, and its share of what it shares."""
        lines = Path(f"/proc/{self.process}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


@dataclass(frozen=True)
class Outcome:
    """What one run of all ranks took."""

    seconds: float
    sums: tuple[int, ...]
    read: int
    """By the rank that read most."""
    disk: int
    memory: int


def place(model: Model, count: int, *, cold: bool) -> None:
    """Brings the model into the page cache, or out of it, and has the host back the memory of all ranks."""
    files = [*model.shards, model.pickle]
    if cold and residency.evict(files) > 0:
        sys.exit("the model does not leave the page cache")
    machine.BackedMemory((count + 1) * model.pickle.stat().st_size).give_back()
    if not cold and all(residency.warm(files) < 1 for _ in range(TRIES)):
        sys.exit("the model does not stay in the page cache")


def run_ranks(contender: str, model: Model, count: int, *, cold: bool, watch: bool = False) -> Outcome:
    """Starts the ranks together. With `watch` memory is looked at all the time, and the seconds mean nothing."""
    place(model, count, cold=cold)
    ranks = [Rank(partial(CONTENDERS[contender], model, rank, count)) for rank in range(count)]
    base = peak = sum(rank.pss() for rank in ranks)
    begun = time.perf_counter()
    for rank in ranks:
        rank.go()
    while watch and not all(rank.is_ready() for rank in ranks):
        peak = max(peak, sum(rank.pss() for rank in ranks))
    sums = tuple(rank.answer()["sum"] for rank in ranks)
    seconds = time.perf_counter() - begun
    peak = max(peak, sum(rank.pss() for rank in ranks))
    for rank in ranks:
        rank.go()
    answers = [rank.answer() for rank in ranks]
    for rank in ranks:
        rank.end()
    return Outcome(
        seconds,
        sums,
        read=max(answer["read"] for answer in answers),
        disk=sum(answer["disk"] for answer in answers),
        memory=peak - base,
    )


def make_model(folder: Path, blocks: int, width: int) -> Model:
    """The same tensors as shards and as a pickle, unless they are there already."""
    folder = folder / f"ranks-{blocks}-{width}"
    index, pickle = folder / "model.safetensors.index.json", folder / "pytorch_model.bin"
    if not pickle.exists():
        write_model(folder, blocks, width)
        state = {
            name: tensor
            for number in range(blocks)
            for name, tensor in make_shard(number, width, torch.bfloat16).items()
        }
        torch.save(state, pickle)
    return Model(index, tuple(sorted(folder.glob("*.safetensors"))), pickle)


def ratio(theirs: list[float], ours: list[float]) -> str:
    """The ratio of the medians with the interval that holds it with a confidence of 95 %."""
    found = estimate_ratio(theirs, ours)
    return f"{found.value:.2f} ({found.low:.2f} - {found.high:.2f})"


def measure(model: Model, count: int, rounds: int, chance: random.Random, *, cold: bool) -> list[str]:
    """The rows of the table for one number of ranks."""
    run = partial(run_ranks, model=model, count=count, cold=cold)
    watched = {name: run(name, watch=True) for name in CONTENDERS}
    if len({outcome.sums for outcome in watched.values()}) != 1:
        sys.exit(f"the contenders do not hold the same: {watched}")
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name in chance.sample(sorted(CONTENDERS), k=len(CONTENDERS)):
            times[name].append(run(name).seconds)
    ours = times["weighbridge load_slices"]
    rows = []
    for name, seconds in times.items():
        outcome = watched[name]
        compared = "" if seconds is ours else ratio(seconds, ours)
        cells = [
            str(count),
            name,
            f"{median(seconds) * 1e3:.0f} ({min(seconds) * 1e3:.0f} - {max(seconds) * 1e3:.0f})",
            compared,
            *(f"{size / 2**20:.0f}" for size in (outcome.read, outcome.disk, outcome.memory)),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--width", type=int, default=2896, help="of the model; 8 blocks of 2896 are 1 GiB")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cold", action="store_true", help="from the disk, not from the page cache")
    parser.add_argument("--folder", type=Path, help="where the model is made and left; a temporary one")
    arguments = parser.parse_args()
    chance = random.Random()
    with tempfile.TemporaryDirectory() as temporary:
        model = make_model(arguments.folder or Path(temporary), arguments.blocks, arguments.width)
        size = sum(shard.stat().st_size for shard in model.shards)
        state = "out of the page cache" if arguments.cold else "in the page cache"
        print(f"{size / 2**20:.0f} MiB in {len(model.shards)} shards, {state}; {os.cpu_count()} processors")
        print(f"{arguments.rounds} rounds\n")
        print(
            "| ranks | loaded by | ms, last rank | times ours | MiB read, each rank | MiB from the disk, all ranks "
            "| MiB of memory, all ranks |"
        )
        print("|---|---|---|---|---|---|---|")
        for count in arguments.ranks:
            print("\n".join(measure(model, count, arguments.rounds, chance, cold=arguments.cold)), flush=True)


if __name__ == "__main__":
    main()
