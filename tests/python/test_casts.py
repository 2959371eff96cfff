"""Casting rounds as torch does, bit for bit, and counts what is too large."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tensors import DTYPES, bits, random_bits

from cli import Weighbridge

SOURCES = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0"]
TARGETS = {"f64": "F64", "f32": "F32", "f16": "F16", "bf16": "BF16", "f8_e4m3": "F8_E4M3", "f8_e5m2": "F8_E5M2"}


def every_number(name: str) -> torch.Tensor:
    """Every bit pattern of a small type; of a large one random ones, and the neighbours of all ties."""
    dtype = DTYPES[name]
    if dtype.itemsize == 1:
        return torch.arange(256, dtype=torch.uint8).view(dtype)
    if dtype.itemsize == 2:
        return torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(dtype)
    halves = torch.arange(65536, dtype=torch.int32).to(torch.uint16)
    steps = torch.cat([halves.view(other).to(dtype) for other in (torch.float16, torch.bfloat16)])
    ties = (steps[1:] + steps[:-1]) / 2
    near = [torch.nextafter(ties, torch.full_like(ties, end)) for end in (-torch.inf, torch.inf)]
    return torch.cat([random_bits(dtype, 100_000), steps, ties, *near])


def same_numbers(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    """The same bits, but for the payload and sign of NaNs."""
    nan = torch.isnan(theirs.double())
    assert torch.equal(torch.isnan(ours.double()), nan)
    zero = torch.zeros((), dtype=torch.float64)
    wide = [torch.where(nan, zero, tensor.double()) for tensor in (ours, theirs)]
    return bits(wide[0]) == bits(wide[1])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_number_rounds_as_in_torch(weighbridge: Weighbridge, tmp_path: Path, source: str, target: str) -> None:
    numbers = every_number(source)
    file = tmp_path / "in.safetensors"
    save_file({"w": numbers}, file)
    ours = load_file(weighbridge.convert(file, "--dtype", target))["w"]
    if source == TARGETS[target]:
        assert bits(ours) == bits(numbers)
        return
    theirs = numbers.to(torch.float32) if numbers.dtype.itemsize == 1 else numbers
    assert same_numbers(ours, theirs.to(DTYPES[TARGETS[target]]))


@pytest.mark.parametrize("target", ["bf16", "f8_e4m3", "f8_e5m2"])
def test_every_half_and_float_rounds_as_in_ml_dtypes(weighbridge: Weighbridge, tmp_path: Path, target: str) -> None:
    theirs = {"bf16": ml_dtypes.bfloat16, "f8_e4m3": ml_dtypes.float8_e4m3fn, "f8_e5m2": ml_dtypes.float8_e5m2}[target]
    numbers = every_number("F32")
    file = tmp_path / "in.safetensors"
    save_file({"w": numbers}, file)
    ours = load_file(weighbridge.convert(file, "--dtype", target))["w"]
    with np.errstate(all="ignore"):
        expected = torch.from_numpy(numbers.numpy().astype(theirs).astype(np.float32))
    lost = torch.isnan(expected) & ~torch.isnan(numbers) if target == "f8_e4m3" else torch.zeros_like(numbers).bool()
    assert ours[lost].double().abs().eq(448).all()  # where torch has the largest number and ml_dtypes NaN
    assert same_numbers(ours[~lost], expected[~lost])


def test_what_is_too_large_is_counted(weighbridge: Weighbridge, tmp_path: Path) -> None:
    file = tmp_path / "in.safetensors"
    numbers = torch.tensor([1.0, 65519.0, 65520.0, -1e38, torch.inf, torch.nan])
    save_file({"w": numbers, "small": numbers[:2].clone(), "ids": torch.arange(3)}, file)
    report = weighbridge.json("convert", file, "-o", tmp_path / "f16.safetensors", "--dtype", "f16")
    assert report["write"]["cast_overflows"] == 2
    found = {finding["code"]: finding for finding in report["findings"]}
    assert found["CastOverflow"]["message"] == "tensor 'w': 2 of 6 numbers are too large for F16"
    assert "2 tensors of F32 become F16, rounded" in found["TensorsCast"]["message"]
    report = weighbridge.json("convert", file, "-o", tmp_path / "f8.safetensors", "--dtype", "f8_e4m3")
    assert report["write"]["cast_overflows"] == 5  # an infinity is lost there, too
    report = weighbridge.json("convert", file, "-o", tmp_path / "f8.npz", "--to", "npz", "--dtype", "f16")
    assert report["write"]["cast_overflows"] == 2


def test_only_the_tensors_that_are_named_are_cast(weighbridge: Weighbridge, tmp_path: Path) -> None:
    file = tmp_path / "in.safetensors"
    save_file({"a.w": torch.ones(3), "a.norm": torch.ones(3), "a.ids": torch.arange(3)}, file)
    out = load_file(weighbridge.convert(file, "--dtype", "bf16", "--dtype-only", "*.w", "--dtype-only", "*.ids"))
    assert {name: tensor.dtype for name, tensor in out.items()} == {
        "a.w": torch.bfloat16,
        "a.norm": torch.float32,
        "a.ids": torch.int64,
    }


@pytest.mark.parametrize("to", ["safetensors", "pt", "npz"])
def test_tied_and_turned_tensors_are_cast_once(weighbridge: Weighbridge, tmp_path: Path, to: str) -> None:
    source, output = tmp_path / "in.pt", tmp_path / f"out.{to}"
    weight = torch.randn(40, 30)
    torch.save({"w": weight, "tied": weight, "turned": weight.T, "part": weight[::2, 3:]}, source)
    weighbridge.ok("convert", source, "-o", output, "--to", to, "--dtype", "f16")
    back = tmp_path / "back.safetensors"
    weighbridge.ok("convert", output, "-o", back, "--shared", "copy")
    out = load_file(back)
    out.setdefault("w", out["tied"])  # of names for one tensor the first in order keeps the bytes
    for name, tensor in {"w": weight, "tied": weight, "turned": weight.T, "part": weight[::2, 3:]}.items():
        assert bits(out[name]) == bits(tensor.half()), name
    if to == "safetensors":
        assert json.loads(weighbridge.ok("info", output, "--json"))["tied"] == [{"name": "w", "kept": "tied"}]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(width=32), max_size=50), st.sampled_from(sorted(TARGETS)))
def test_any_list_of_numbers(weighbridge: Weighbridge, tmp_path: Path, numbers: list[float], target: str) -> None:
    file = tmp_path / "in.safetensors"
    tensor = torch.tensor(numbers, dtype=torch.float32)
    save_file({"w": tensor}, file)
    ours = load_file(weighbridge.convert(file, "--dtype", target))["w"]
    assert same_numbers(ours, tensor.to(DTYPES[TARGETS[target]]))
