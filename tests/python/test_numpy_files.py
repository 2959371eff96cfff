"""Real numpy and ml_dtypes write .npy and .npz files; the arrays in them come over as the same bits."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from arrays import ELEMENT_TYPES, assert_same, every_layout, random_array, read
from safetensors.torch import save_file
from tensors import bits, random_bits

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


def saved(weighbridge: Weighbridge, tmp_path: Path, *options: str) -> Path:
    """The numbers of this file over safetensors to .npz, by the program alone."""
    source = tmp_path / "arrays.npz"
    np.savez(source, **numbers())
    middle, output = tmp_path / "middle.safetensors", tmp_path / "out.npz"
    weighbridge.ok("convert", source, "-o", middle)
    weighbridge.ok("convert", middle, "-o", output, "--to", "npz", *options)
    return output


def little(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).reshape(array.shape)


def test_numpy_reads_what_was_written(weighbridge: Weighbridge, tmp_path: Path) -> None:
    output = saved(weighbridge, tmp_path)
    with zipfile.ZipFile(output) as archive:
        assert archive.testzip() is None
    with np.load(output, allow_pickle=False) as found:
        assert sorted(found.files) == sorted(numbers())
        for name, array in numbers().items():
            expected = little(np.asarray(array))
            assert (found[name].dtype, found[name].shape) == (expected.dtype, expected.shape), name
            assert found[name].tobytes() == expected.tobytes(), name


def test_every_array_is_aligned_and_its_header_has_the_one_layout(weighbridge: Weighbridge, tmp_path: Path) -> None:
    content = saved(weighbridge, tmp_path).read_bytes()
    starts = [match.start() for match in re.finditer(b"\x93NUMPY\x01\x00", content)]
    assert len(starts) == len(numbers())
    for start in starts:
        length = int.from_bytes(content[start + 8 : start + 10], "little")
        header = content[start + 10 : start + 10 + length].decode()
        assert (start + 10 + length) % 64 == 0
        assert re.fullmatch(
            r"\{'descr': '[<|][a-zV]\d', 'fortran_order': False, 'shape': \((\d+(, \d+)*,?)?\), \} *\n", header
        )
        assert header[34] == "F"  # where MLX looks for the order


def test_a_lone_array(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source, output = tmp_path / "in.npz", tmp_path / "out.npy"
    array = random_array(">f8", 3, 4)
    np.savez(source, w=array, other=np.arange(3))
    refused = weighbridge.run("convert", source, "-o", output, "--to", "npy")
    assert (refused.returncode, output.exists()) == (2, False)
    assert "an .npy file holds one array, and here are 2 tensors" in refused.stderr
    report = weighbridge.json("convert", source, "-o", output, "--to", "npy", "--select", "w")
    assert "NameNotKept" in [finding["code"] for finding in report["findings"]]
    assert np.load(output, allow_pickle=False).tobytes() == little(array).tobytes()


def test_types_that_numpy_lacks_are_refused_or_kept_as_bytes(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source, output = tmp_path / "in.safetensors", tmp_path / "out.npz"
    tensors = {"f8": random_bits(torch.float8_e4m3fn, 2, 3), "bf16": random_bits(torch.bfloat16, 5)}
    save_file(tensors, source, metadata={"format": "pt", "made": "here"})
    refused = weighbridge.run("convert", source, "-o", output, "--to", "npz")
    assert (refused.returncode, output.exists()) == (1, False)
    assert "tensor 'f8': NumPy has no F8_E4M3" in refused.stderr
    report = weighbridge.json("convert", source, "-o", output, "--to", "npz", "--lacking", "u8", "--dry-run")
    codes = {finding["code"]: finding["severity"] for finding in report["findings"]}
    assert codes["DTypeAsBytes"] == "warning"
    assert codes["MetadataNotKept"] == "warning"
    weighbridge.ok("convert", source, "-o", output, "--to", "npz", "--lacking", "u8")
    with np.load(output) as found:
        assert found["f8"].dtype == np.uint8
        assert found["f8"].tobytes() == bits(tensors["f8"])
        assert found["bf16"].dtype == np.dtype("V2")
        assert found["bf16"].view(ml_dtypes.bfloat16).tobytes() == bits(tensors["bf16"])


@pytest.mark.parametrize("name", ["a\\b", "x" * 65_532])
def test_names_that_an_archive_cannot_have_are_refused(weighbridge: Weighbridge, tmp_path: Path, name: str) -> None:
    source, output = tmp_path / "in.safetensors", tmp_path / "out.npz"
    save_file({name: torch.ones(1)}, source)
    refused = weighbridge.run("convert", source, "-o", output, "--to", "npz")
    assert (refused.returncode, output.exists()) == (1, False)
    assert "cannot be an entry of an .npz file" in refused.stderr


def test_names_that_numpy_mixes_up_are_refused(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "in.safetensors"
    save_file({"a": torch.ones(1), "a.npy": torch.ones(2)}, source)
    refused = weighbridge.run("convert", source, "-o", tmp_path / "out.npz", "--to", "npz")
    assert "numpy cannot tell it from 'a.npy'" in refused.stderr


def test_tied_tensors_are_written_under_every_name(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source, output = tmp_path / "in.pt", tmp_path / "out.npz"
    weight = torch.randn(3, 4)
    torch.save({"a": weight, "b": weight}, source)
    report = weighbridge.json("convert", source, "-o", output, "--to", "npz")
    assert "TiedTensorsCopied" in [finding["code"] for finding in report["findings"]]
    with np.load(output) as found:
        assert found["a"].tobytes() == found["b"].tobytes() == bits(weight)
