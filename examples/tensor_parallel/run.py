"""Tensor parallelism: each rank loads its slices of a sharded model, and together they compute what one would.

    torchrun --nproc-per-node 4 examples/tensor_parallel/run.py model.safetensors.index.json

With ``--make BLOCKS WIDTH`` the first rank writes such a model first.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import torch.distributed as dist
import weighbridge.torch
from model import slices_of, write_model


def forward(weights: dict[str, torch.Tensor], x: torch.Tensor, *, reduce: bool) -> torch.Tensor:
    """All blocks. With `reduce` the ranks' partial sums of each block are added up."""
    for number in range(sum(".norm." in name for name in weights)):
        up, down, norm = (weights[f"blocks.{number}.{name}.weight"].float() for name in ("up", "down", "norm"))
        y = torch.relu((x * norm) @ up.T) @ down.T
        if reduce:
            dist.all_reduce(y)
        x = x + y
    return x


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, help="the model's index.json")
    parser.add_argument("--make", nargs=2, type=int, metavar=("BLOCKS", "WIDTH"), help="write a model there first")
    arguments = parser.parse_args()

    dist.init_process_group("gloo")
    rank, ranks = dist.get_rank(), dist.get_world_size()
    if arguments.make and rank == 0:
        write_model(arguments.index.parent, *arguments.make)
    dist.barrier()

    # The plan is known before anything is read: one call reads this rank's bytes of all shards, and no others.
    reports: list[weighbridge.LoadReport] = []
    weights = weighbridge.torch.load_slices(
        arguments.index, slices_of(arguments.index, rank, ranks), report=reports.append
    )
    size = sum(weight.nbytes for weight in weights.values())
    print(f"rank {rank} of {ranks}: {len(weights)} slices, {size} bytes, {reports[0].bytes_read} of them copied")

    x = torch.linspace(-1, 1, weights["blocks.0.norm.weight"].numel())
    y = forward(weights, x, reduce=True)
    if rank == 0:
        expected = forward(weighbridge.torch.load_file(arguments.index), x, reduce=False)
        torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-4)
        print(f"{ranks} ranks together give what one gives")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
