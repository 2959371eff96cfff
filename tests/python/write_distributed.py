"""One of several processes that save a distributed checkpoint: FOLDER RANK PROCESSES."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor


def main() -> None:
    folder, rank, processes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=processes)
    mesh = init_device_mesh("cpu", (processes,))
    torch.manual_seed(1)
    rows = torch.arange(35.0).view(7, 5)
    columns = torch.randn(4, 6)
    same = torch.arange(12, dtype=torch.bfloat16).view(3, 4)
    state = {
        "model": {
            "rows": distribute_tensor(rows, mesh, [Shard(0)]),
            "columns": distribute_tensor(columns, mesh, [Shard(1)]),
            "same": distribute_tensor(same, mesh, [Replicate()]),
            "plain": torch.ones(3, dtype=torch.float64),
        },
        "random": torch.arange(4),
        "step": 5,
        "config": {"name": "x"},
    }
    dcp.save(state, checkpoint_id=folder / "saved")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
