"""A small language model's blocks as shards, and who takes what of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import weighbridge
import weighbridge.torch


def make_shard(number: int, width: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """One block: an MLP whose hidden layer is four times as wide, and a norm."""
    generator = torch.Generator().manual_seed(number)
    shapes = {"up": (4 * width, width), "down": (width, 4 * width), "norm": (width,)}
    return {
        f"blocks.{number}.{name}.weight": (torch.randn(shape, generator=generator) / width**0.5).to(dtype)
        for name, shape in shapes.items()
    }


def write_model(folder: Path, blocks: int, width: int, dtype: torch.dtype = torch.bfloat16) -> Path:
    """Writes one file a block, and their index, whose path it gives."""
    folder.mkdir(parents=True, exist_ok=True)
    weight_map = {}
    for number in range(blocks):
        shard = f"model-{number + 1:05}-of-{blocks:05}.safetensors"
        tensors = make_shard(number, width, dtype)
        weighbridge.torch.save_file(tensors, folder / shard)
        weight_map.update(dict.fromkeys(tensors, shard))
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return index


def slices_of(source: Any, rank: int, ranks: int) -> dict[str, Any]:
    """What one of `ranks` takes: rows of `up`, columns of `down`, all of the rest."""
    with weighbridge.open(source) as file:
        return {name: slice_of(name, file[name].shape, rank, ranks) for name in file}


def slice_of(name: str, shape: tuple[int, ...], rank: int, ranks: int) -> Any:
    """The index of one rank's part of a tensor."""
    if ".up." in name:
        return _part(shape[0], rank, ranks)
    if ".down." in name:
        return (slice(None), _part(shape[1], rank, ranks))
    return ...


def _part(size: int, rank: int, ranks: int) -> slice:
    return slice(size * rank // ranks, size * (rank + 1) // ranks)
