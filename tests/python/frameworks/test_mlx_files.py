"""Files of MLX are read, oddities and all, and what is written for it is read by it."""

from __future__ import annotations

import os
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from cli import Weighbridge

TYPES = ["bool_", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "bfloat16"]
TYPES += ["float32", "complex64"]


@pytest.fixture(scope="module")
def weighbridge() -> Weighbridge:
    return Weighbridge(os.environ["WEIGHBRIDGE_CLI"])


def tensors() -> dict[str, mx.array]:
    """Every type, in shapes whose headers MLX pads in every odd way."""
    numbers = mx.arange(24)
    named = {name: numbers.astype(getattr(mx, name)).reshape(2, 3, 4) for name in TYPES}
    shapes = {"empty": mx.zeros((0, 3)), "one": mx.array(2.5), "row": mx.arange(218)}
    return named | shapes | {f"long{'x' * count}": mx.ones((count, 1)) for count in range(1, 12)}


def assert_equal(found: dict[str, mx.array]) -> None:
    expected = tensors()
    assert sorted(found) == sorted(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert found[name].shape == tensor.shape, name
        assert mx.array_equal(found[name], tensor).item(), name


def load(file: Path) -> dict[str, mx.array]:
    found = mx.load(str(file))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("compressed", [False, True])
def test_archives_of_mlx_are_read(weighbridge: Weighbridge, tmp_path: Path, compressed: bool) -> None:
    source, output = tmp_path / "in.npz", tmp_path / "out.safetensors"
    (mx.savez_compressed if compressed else mx.savez)(str(source), **tensors())
    weighbridge.ok("convert", source, "-o", output)
    assert_equal(load(output))


def test_single_arrays_of_mlx_are_read(weighbridge: Weighbridge, tmp_path: Path) -> None:
    for name, tensor in tensors().items():
        source, output = tmp_path / f"{name}.npy", tmp_path / f"{name}.safetensors"
        mx.save(str(source), tensor)
        weighbridge.ok("convert", source, "-o", output)
        assert mx.array_equal(load(output)["array"], tensor).item(), name


def test_mlx_reads_what_was_written(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source, output = tmp_path / "in.safetensors", tmp_path / "out.npz"
    mx.save_safetensors(str(source), tensors())
    weighbridge.ok("convert", source, "-o", output, "--to", "npz")
    assert_equal(load(output))
    single = tmp_path / "out.npy"
    weighbridge.ok("convert", source, "-o", single, "--to", "npy", "--select", "bfloat16")
    found = mx.load(str(single))
    assert found.dtype == mx.bfloat16
    assert mx.array_equal(found, tensors()["bfloat16"]).item()


def test_safetensors_of_mlx_are_read(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source, output = tmp_path / "in.safetensors", tmp_path / "out.safetensors"
    mx.save_safetensors(str(source), tensors())
    assert b'"__metadata__":null' in source.read_bytes()
    weighbridge.ok("convert", source, "-o", output)
    assert_equal(load(output))


def test_a_header_without_padding_and_in_another_order_than_the_data(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source, output = tmp_path / "in.safetensors", tmp_path / "out.npz"
    entries = (
        '"b":{"data_offsets":[4,8],"dtype":"F32","shape":[1]},"a":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}'
    )
    header = f'{{"__metadata__":null,{entries}}}'.encode()
    assert len(header) % 8 != 0
    source.write_bytes(len(header).to_bytes(8, "little") + header + np.array([1, 2], "<f4").tobytes())
    weighbridge.ok("convert", source, "-o", output, "--to", "npz")
    with np.load(output) as found:
        assert (found["a"].item(), found["b"].item()) == (1, 2)
