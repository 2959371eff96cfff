"""Real joblib writes files with every compressor; the arrays in them come over as the same bits."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from arrays import ELEMENT_TYPES, assert_same, every_layout, random_array, read

from cli import Weighbridge

COMPRESSORS = [0, *((codec, level) for codec in ("zlib", "gzip", "bz2", "lzma", "xz", "lz4") for level in (1, 3, 9))]
PROTOCOLS = pytest.mark.parametrize("protocol", range(6))


def numbers() -> dict[str, np.ndarray[Any, Any]]:
    return every_layout() | {dtype: random_array(dtype, 3, 5) for dtype in ELEMENT_TYPES}


@pytest.mark.parametrize("compress", COMPRESSORS, ids=str)
def test_every_compressor(weighbridge: Weighbridge, tmp_path: Path, compress: Any) -> None:
    source = tmp_path / "arrays.joblib"
    joblib.dump(numbers(), source, compress=compress)
    assert_same(numbers(), read(weighbridge.convert(source)))


@PROTOCOLS
def test_every_protocol(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    source = tmp_path / "arrays.joblib"
    joblib.dump(numbers(), source, protocol=protocol)
    assert_same(numbers(), read(weighbridge.convert(source)))
    assert weighbridge.json("info", source)["format"] == "joblib"


@PROTOCOLS
def test_arrays_of_objects_are_pickles_within_the_pickle(
    weighbridge: Weighbridge, tmp_path: Path, protocol: int
) -> None:
    inner = random_array("<f4", 3, 4)
    value = {
        "before": np.arange(3),
        "things": np.array([[{"w": inner}, None], ["text", [inner, inner.T]]], object),
        "after": np.arange(4.0),
    }
    source = tmp_path / "arrays.joblib"
    joblib.dump(value, source, protocol=protocol)
    expected = {
        "before": np.arange(3),
        "things.0.w": inner,
        "things.3.0": inner,
        "things.3.1": inner.T,
        "after": np.arange(4.0),
    }
    assert_same(expected, read(weighbridge.convert(source, "--shared", "copy")))


@PROTOCOLS
def test_structures_matrices_and_text(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    rows = np.zeros((2, 3), [("x", ">f4"), ("name", "S3"), ("y", "<i8", (2,))])
    rows["x"], rows["y"] = random_array("<i2", 2, 3), random_array("<i8", 2, 3, 2)
    value = {"rows": rows, "matrix": np.asmatrix(np.eye(2)), "names": np.array(["a", "bc"])}
    source = tmp_path / "arrays.joblib"
    joblib.dump(value, source, protocol=protocol)
    expected = {"rows.x": rows["x"], "rows.y": rows["y"], "matrix": np.eye(2)}
    assert_same(expected, read(weighbridge.convert(source, "--sidecar")))
    tree = json.loads(Path(f"{source}.safetensors.meta.json").read_text(encoding="utf-8"))["tree"]
    assert tree["names"]["$ndarray"] == "<U2"
    assert tree["rows"]["$tensor"] == "rows"


@PROTOCOLS
def test_a_lone_array(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    source = tmp_path / "array.joblib"
    array = random_array("<f4", 4, 5).T
    joblib.dump(array, source, protocol=protocol)
    assert_same({"array": array}, read(weighbridge.convert(source)))


class Unseekable(io.RawIOBase):
    """A pipe: joblib cannot align what it writes there."""

    def __init__(self) -> None:
        super().__init__()
        self.content = b""

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        raise io.UnsupportedOperation("tell")

    def write(self, data: Any) -> int:
        self.content += bytes(data)
        return len(data)


def test_a_stream_without_alignment(weighbridge: Weighbridge, tmp_path: Path) -> None:
    pipe = Unseekable()
    joblib.dump(numbers(), pipe)
    source = tmp_path / "arrays.joblib"
    source.write_bytes(pipe.content)
    assert_same(numbers(), read(weighbridge.convert(source)))


def test_a_large_array_among_small_ones(weighbridge: Weighbridge, tmp_path: Path) -> None:
    value = {
        "small": np.arange(3),
        "large": random_array("<f8", 1000, 300),
        "last": [np.arange(5), {"deep": np.eye(3)}],
    }
    source = tmp_path / "arrays.joblib"
    joblib.dump(value, source)
    expected = {"small": value["small"], "large": value["large"], "last.0": np.arange(5), "last.1.deep": np.eye(3)}
    assert_same(expected, read(weighbridge.convert(source)))


def test_a_file_that_was_cut_off_is_refused(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "arrays.joblib"
    joblib.dump(numbers(), source)
    whole = source.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, len(whole) // 3):
        source.write_bytes(whole[:length])
        done = weighbridge.run("convert", source)
        assert done.returncode not in (0, -11, -6), done.stderr
        assert not source.with_suffix(".safetensors").exists()
