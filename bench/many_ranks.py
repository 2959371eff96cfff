#!/usr/bin/env python3
"""Many ranks, each loading its part of one model: a pickle, the safetensors wheel, and one plan of Weighbridge.

Each rank is a process of its own, forked from one that has imported everything; all start together, and the time is
that of the last. A rank ends with its slices of every tensor, contiguous, and has read every byte of them. The
contenders take turns in an order that is drawn anew in every round, from a warm page cache. Bytes read and memory are
taken in rounds without a clock: bytes that were read by system calls or touched in a mapping, and the growth of all
ranks' PSS together at its highest. What the ranks hold is compared between the contenders first. Prints a table in
Markdown.

    pip install . safetensors==0.8.0 torch numpy
    python bench/many_ranks.py --ranks 1 2 4 8
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import tempfile
import time
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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples/tensor_parallel"))
from model import make_shard, slice_of, slices_of, write_model

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Model:
    """One model in both formats."""

    index: Path
    shards: tuple[Path, ...]
    pickle: Path


@dataclass
class Loaded:
    """A rank's slices, and the bytes that it read by copying them out of a mapping of the library's."""

    tensors: Tensors
    copied: int = 0
    open: Any = None  # what keeps mappings until they have been looked at


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
    reports: list[weighbridge.LoadReport] = []
    slices = slices_of(model.index, rank, ranks)
    tensors = weighbridge.torch.load_slices(model.index, slices, report=reports.append)
    return Loaded(tensors, copied=reports[0].bytes_read)


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


def mapped_bytes(folder: Path) -> int:
    """Resident bytes of mappings of the model's files."""
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if line[:1].isdigit() or line[:1] in "abcdef":
            ours = str(folder) in line
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


def read_by_calls() -> int:
    """Bytes that this process has read by system calls."""
    return int(Path("/proc/self/io").read_text().split()[1])


def run_rank(load: Callable[[], Loaded], folder: Path, start: int, done: int) -> None:
    """In a child: waits for the start, loads, tells, and stays until it is let go."""
    torch.set_num_threads(1)
    gc.disable()
    os.read(start, 1)
    before = read_by_calls()
    loaded = load()
    total = touch(loaded.tensors)
    os.write(done, json.dumps({"sum": total}).encode().ljust(200))
    os.read(start, 1)
    read = read_by_calls() - before + loaded.copied + mapped_bytes(folder)
    os.write(done, json.dumps({"read": read}).encode().ljust(200))
    os.read(start, 1)
    os._exit(0)


@dataclass(frozen=True)
class Outcome:
    """What one run of all ranks took."""

    seconds: float
    sums: tuple[int, ...]
    read: tuple[int, ...]
    memory: int


def pss_of(children: list[int]) -> int:
    """The proportional set size of all: what they have for themselves, and their shares of what they share."""
    total = 0
    for child in children:
        for line in Path(f"/proc/{child}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def run_ranks(contender: str, model: Model, ranks: int, *, watch: bool) -> Outcome:
    """Starts the ranks together. With `watch` memory is looked at all the time, and the seconds mean nothing."""
    pipes = [(os.pipe(), os.pipe()) for _ in range(ranks)]
    children = []
    for rank, ((start, _), (_, done)) in enumerate(pipes):
        child = os.fork()
        if child == 0:
            run_rank(partial(CONTENDERS[contender], model, rank, ranks), model.index.parent, start, done)
        children.append(child)
    base = pss_of(children)
    peak = base

    def answers() -> list[dict[str, int]]:
        return [json.loads(os.read(done, 200) or b"{}") for _, (done, _) in pipes]

    def go() -> None:
        for (_, start), _ in pipes:
            os.write(start, b"x")

    begun = time.perf_counter()
    go()
    if watch:
        watched = set(children)
        while any(not _ready(done) for _, (done, _) in pipes):
            peak = max(peak, pss_of(list(watched)))
    sums = [answer["sum"] for answer in answers()]
    seconds = time.perf_counter() - begun
    peak = max(peak, pss_of(children))
    go()
    read = [answer["read"] for answer in answers()]
    go()
    for child in children:
        os.waitpid(child, 0)
    for pair in pipes:
        for descriptor in (*pair[0], *pair[1]):
            os.close(descriptor)
    return Outcome(seconds, tuple(sums), tuple(read), peak - base)


def _ready(descriptor: int) -> bool:
    import select

    return bool(select.select([descriptor], [], [], 0.005)[0])


def write_models(folder: Path, blocks: int, width: int) -> Model:
    """The same tensors as shards and as a pickle."""
    index = write_model(folder, blocks, width)
    state = {
        name: tensor for number in range(blocks) for name, tensor in make_shard(number, width, torch.bfloat16).items()
    }
    pickle = folder / "pytorch_model.bin"
    torch.save(state, pickle)
    return Model(index, tuple(sorted(folder.glob("*.safetensors"))), pickle)


def ratio(theirs: list[float], ours: list[float], chance: random.Random) -> str:
    """The ratio of the medians with the middle 95 % of its bootstrap."""
    draws = sorted(
        median(chance.choices(theirs, k=len(theirs))) / median(chance.choices(ours, k=len(ours))) for _ in range(2000)
    )
    return f"{median(theirs) / median(ours):.1f}x ({draws[50]:.1f} - {draws[-51]:.1f})"


def measure(model: Model, ranks: int, rounds: int, chance: random.Random) -> list[str]:
    """The rows of the table for one number of ranks."""
    watched = {name: run_ranks(name, model, ranks, watch=True) for name in CONTENDERS}
    if len({outcome.sums for outcome in watched.values()}) != 1:
        sys.exit(f"the contenders do not hold the same: {watched}")
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name in chance.sample(sorted(CONTENDERS), k=len(CONTENDERS)):
            times[name].append(run_ranks(name, model, ranks, watch=False).seconds)
    ours = times["weighbridge load_slices"]
    rows = []
    for name, seconds in times.items():
        low, high = min(seconds), max(seconds)
        read, memory = max(watched[name].read) / 2**20, watched[name].memory / 2**20
        compared = "" if seconds is ours else ratio(seconds, ours, chance)
        rows.append(
            f"| {ranks} | {name} | {median(seconds) * 1e3:.0f} ({low * 1e3:.0f} - {high * 1e3:.0f}) | {compared} "
            f"| {read:.0f} | {memory:.0f} |"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--width", type=int, default=2896, help="of the model; 8 blocks of 2896 are 1 GiB")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where the model is made; a temporary one")
    arguments = parser.parse_args()
    chance = random.Random()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        model = write_models(Path(folder), arguments.blocks, arguments.width)
        size = sum(shard.stat().st_size for shard in model.shards)
        print(f"{size / 2**20:.0f} MiB in {len(model.shards)} shards, {os.cpu_count()} processors")
        print(f"{arguments.rounds} rounds\n")
        print("| ranks | loaded by | ms, last rank | times ours | MiB read, each rank | MiB of memory, all ranks |")
        print("|---|---|---|---|---|---|")
        for ranks in arguments.ranks:
            print("\n".join(measure(model, ranks, arguments.rounds, chance)), flush=True)


if __name__ == "__main__":
    main()
