"""Real numpy and ml_dtypes write .npy and .npz files; the arrays in them come over as the same bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from arrays import ELEMENT_TYPES, assert_same, every_layout, random_array, read

from cli import Weighbridge

SAVERS = pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
Saver = Callable[..., None]


def numbers() -> dict[str, np.ndarray[Any, Any]]:
    """Every layout and element type, and names that only their case tells apart."""
    own = {dtype: random_array(dtype, 3, 5) for dtype in ELEMENT_TYPES}
    cases = {"layer.W": random_array("<f4", 2), "layer.w": random_array("<f4", 3), "a/b": random_array("<f4", 4)}
    return every_layout() | own | cases


@SAVERS
def test_every_layout_and_type(weighbridge: Weighbridge, tmp_path: Path, save: Saver) -> None:
    source = tmp_path / "arrays.npz"
    save(source, **numbers())
    assert_same(numbers(), read(weighbridge.convert(source)))
    assert weighbridge.json("info", source)["format"] == "npz"


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_npy(weighbridge: Weighbridge, tmp_path: Path, version: tuple[int, int]) -> None:
    source = tmp_path / "array.npy"
    array = random_array("<f4", 3, 4)
    with source.open("wb") as out:
        np.lib.format.write_array(out, array, version=version)
    assert_same({"array": array}, read(weighbridge.convert(source)))


@SAVERS
def test_bfloat16_is_known_by_its_two_bytes(weighbridge: Weighbridge, tmp_path: Path, save: Saver) -> None:
    source = tmp_path / "arrays.npz"
    numbers = random_array("<u2", 4, 3)
    save(source, w=numbers.view(ml_dtypes.bfloat16))
    tensor = read(weighbridge.convert(source))["w"]
    assert (tensor.dtype, tensor.shape, tensor.content) == ("BF16", (4, 3), numbers.tobytes())
    raw = read(weighbridge.convert(source, "--numpy-void", "bytes"))["w"]
    assert (raw.dtype, raw.shape, raw.content) == ("U8", (4, 3, 2), numbers.tobytes())


def test_other_raw_bytes_are_refused_unless_they_are_asked_for(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "arrays.npz"
    numbers = random_array("|u1", 6)
    np.savez(source, w=numbers.view(ml_dtypes.float8_e4m3fn))
    refused = weighbridge.run("convert", source, "-o", tmp_path / "out.safetensors")
    assert refused.returncode == 1
    assert "'w.npy': |V1 is raw bytes" in refused.stderr
    raw = read(weighbridge.convert(source, "--numpy-void", "bytes"))["w"]
    assert (raw.dtype, raw.shape, raw.content) == ("U8", (6, 1), numbers.tobytes())


@SAVERS
def test_objects_and_text_do_not_hide_the_numbers(weighbridge: Weighbridge, tmp_path: Path, save: Saver) -> None:
    source = tmp_path / "arrays.npz"
    weights = random_array("<f4", 3)
    things = np.array([{"w": weights}, None], object)
    save(source, w=weights, labels=np.array(["cat", "dog"]), things=things)
    output = weighbridge.convert(source, "--sidecar")
    assert_same({"w": weights, "things.0.w": weights}, read(output))
    assert '"labels"' in Path(f"{output}.meta.json").read_text()


@SAVERS
def test_a_scan_finds_what_numpy_would_run(weighbridge: Weighbridge, tmp_path: Path, save: Saver) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return __import__("os").system, ("true",)

    source = tmp_path / "arrays.npz"
    save(source, w=np.arange(3), evil=np.array([Evil()], object))
    assert weighbridge.run("scan", source).returncode == 4
    assert weighbridge.run("convert", source, "-o", tmp_path / "out.safetensors").returncode == 4
    np.savez(source, W=np.arange(3), w=np.arange(4))
    assert weighbridge.run("scan", source).returncode == 0
