"""Random checkpoints walk through random chains of formats and come out as they were.

A format is a line in FORMATS: how `convert --to` calls it, its suffix, and which dtypes and names it can keep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tensors import DTYPES, assert_same, random_bits

from cli import Weighbridge

FLOATS_OF_A_BYTE = {name for name in DTYPES if name.startswith("F8")}


@dataclass(frozen=True)
class Format:
    """What a format keeps; a chain has only tensors that all of its formats keep."""

    to: str
    suffix: str
    dtypes: frozenset[str]
    keeps_name: Callable[[str], bool] = lambda name: True


FORMATS = [
    Format("safetensors", ".safetensors", frozenset(DTYPES)),
    Format("pt", ".pt", frozenset(DTYPES)),
    Format("npz", ".npz", frozenset(DTYPES) - FLOATS_OF_A_BYTE, lambda name: "\\" not in name and "\0" not in name),
]

NAMES = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["a.w", "A.w", "a/b", "0", ".", "array"])
SHAPES = st.lists(st.integers(0, 5), max_size=4)
CHECKPOINTS = st.dictionaries(NAMES, st.tuples(st.sampled_from(sorted(DTYPES)), SHAPES, st.integers(0, 99)), max_size=6)


def tensors_for(checkpoint: dict[str, tuple[str, list[int], int]], chain: list[Format]) -> dict[str, torch.Tensor]:
    """The tensors that every format of the chain can keep."""
    kept = {
        name: random_bits(DTYPES[dtype], *shape, seed=seed)
        for name, (dtype, shape, seed) in checkpoint.items()
        if name != "__metadata__" and all(dtype in step.dtypes and step.keeps_name(name) for step in chain)
    }
    return {name: tensor for name, tensor in kept.items() if f"{name}.npy" not in kept}


def walk(weighbridge: Weighbridge, source: Path, chain: list[Format]) -> Path:
    """Converts along the chain and back to safetensors."""
    for i, step in enumerate([*chain, FORMATS[0]]):
        target = source.with_name(f"step{i}{step.suffix}")
        weighbridge.ok("convert", source, "-o", target, "--to", step.to, "--force", "--shared", "copy")
        source = target
    return source


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHECKPOINTS, st.lists(st.sampled_from(FORMATS), min_size=1, max_size=4))
def test_every_chain_keeps_every_bit(
    weighbridge: Weighbridge,
    tmp_path: Path,
    checkpoint: dict[str, tuple[str, list[int], int]],
    chain: list[Format],
) -> None:
    tensors = tensors_for(checkpoint, chain)
    if not tensors:
        return
    source = tmp_path / "in.safetensors"
    save_file(tensors, source)
    assert_same(tensors, load_file(walk(weighbridge, source, chain)))
    report = weighbridge.run("diff", source, tmp_path / f"step{len(chain)}.safetensors")
    assert report.returncode == 0, report.stdout


@pytest.mark.parametrize("first", FORMATS, ids=lambda step: step.to)
@pytest.mark.parametrize("second", FORMATS, ids=lambda step: step.to)
def test_every_pair_keeps_every_type(weighbridge: Weighbridge, tmp_path: Path, first: Format, second: Format) -> None:
    names = first.dtypes & second.dtypes
    tensors = {name: random_bits(DTYPES[name], 3, 4) for name in sorted(names)}
    source = tmp_path / "in.safetensors"
    save_file(tensors, source)
    assert_same(tensors, load_file(walk(weighbridge, source, [first, second])))
