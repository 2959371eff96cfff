"""Real numpy pickles arrays of every kind; the numbers in them come over as the same bits."""

from __future__ import annotations

import base64
import json
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from arrays import ELEMENT_TYPES, Tensor, assert_same, every_layout, random_array, read, tensor_of

from cli import Weighbridge

PROTOCOLS = pytest.mark.parametrize("protocol", range(6))


def convert_pickle(
    weighbridge: Weighbridge, folder: Path, value: object, protocol: int, *options: str
) -> dict[str, Tensor]:
    source = folder / "arrays.pkl"
    source.write_bytes(pickle.dumps(value, protocol))
    return read(weighbridge.convert(source, *options))


def sidecar(source: Path) -> Any:
    return json.loads(Path(f"{source}.safetensors.meta.json").read_text(encoding="utf-8"))["tree"]


@PROTOCOLS
def test_every_element_type_in_both_orders(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    arrays = {dtype: random_array(dtype, 3, 5) for dtype in ELEMENT_TYPES}
    assert_same(arrays, convert_pickle(weighbridge, tmp_path, arrays, protocol))


@PROTOCOLS
def test_every_layout(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    arrays = every_layout()
    assert_same(arrays, convert_pickle(weighbridge, tmp_path, arrays, protocol))


@PROTOCOLS
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_structure_is_one_tensor_for_each_field(
    weighbridge: Weighbridge, tmp_path: Path, protocol: int, order: str
) -> None:
    inner = np.dtype([("x", f"{order}f4"), ("y", f"{order}i2", (2, 3))], align=True)
    dtype = np.dtype([("id", f"{order}u8"), ("box", inner, (2,)), ("name", "S3"), ("flag", "?")])
    rows = np.frombuffer(np.random.default_rng(1).bytes(4 * dtype.itemsize), dtype).reshape(2, 2).copy()
    rows["flag"] = [[True, False], [False, True]]
    arrays = {
        "rows.id": rows["id"],
        "rows.box.x": rows["box"]["x"],
        "rows.box.y": rows["box"]["y"],
        "rows.flag": rows["flag"],
    }
    assert_same(arrays, convert_pickle(weighbridge, tmp_path, {"rows": rows}, protocol))
    turned = {name: array.T if array.ndim == 2 else array.swapaxes(0, 1) for name, array in arrays.items()}
    assert_same(turned, convert_pickle(weighbridge, tmp_path, {"rows": rows.T}, protocol))


@PROTOCOLS
def test_times_are_integers_and_keep_their_unit_beside(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    arrays = {
        "when": np.array(["2026-11-21", "NaT"], "M8[25s]"),
        "long": np.arange(3, dtype=">m8[ns]"),
        "days": np.array(["2020-02-29"], "M8[D]"),
    }
    assert_same(arrays, convert_pickle(weighbridge, tmp_path, arrays, protocol, "--sidecar"))
    tree = sidecar(tmp_path / "arrays.pkl")
    assert tree["when"] == {"$tensor": "when", "$numpy": "<M8[25s]"}
    assert tree["long"] == {"$tensor": "long", "$numpy": ">m8[ns]"}
    assert tree["days"] == {"$tensor": "days", "$numpy": "<M8[D]"}


@PROTOCOLS
def test_masked_arrays_are_data_and_mask(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    data = random_array("<f4", 3, 4)
    masked = np.ma.array(data, mask=data > 0)
    turned = np.ma.array(np.asfortranarray(data), mask=np.asfortranarray(data > 0))
    expected = {"m": data, "m.mask": data > 0, "t": data, "t.mask": data > 0}
    assert_same(expected, convert_pickle(weighbridge, tmp_path, {"m": masked, "t": turned}, protocol))


@PROTOCOLS
def test_subclasses_of_arrays(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    file = np.memmap(tmp_path / "raw", dtype="<i4", mode="w+", shape=(2, 3))
    file[:] = np.arange(6).reshape(2, 3)
    record = np.rec.array([(1, 2.5), (3, 4.5)], dtype=[("a", "<i4"), ("b", "<f8")])
    arrays = {"matrix": np.asmatrix(np.eye(2)), "file": file, "record": record}
    expected = {"matrix": np.eye(2), "file": np.asarray(file), "record.a": record.a, "record.b": record.b}
    assert_same(expected, convert_pickle(weighbridge, tmp_path, arrays, protocol))


ML_TYPES = {
    "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
}


@PROTOCOLS
def test_types_of_ml_dtypes(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    raw = random_array("u1", 4, 6)
    arrays = {name: raw.copy().view(dtype) for name, dtype in ML_TYPES.items()}
    actual = convert_pickle(weighbridge, tmp_path, arrays, protocol)
    assert actual == {name: Tensor(name, array.shape, raw.tobytes()) for name, array in arrays.items()}


@PROTOCOLS
def test_text_objects_and_long_doubles_stay_beside(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    names = np.array([["a", "Ünï"], ["", "x" * 7]])
    value = {
        "w": np.arange(3.0),
        "names": names,
        "bytes": np.array([b"ab", b"c"]),
        "wide": np.arange(2, dtype=np.longdouble),
        "things": np.array([[{"inner": np.arange(4)}, None], ["text", np.float32(1.5)]], object),
    }
    actual = convert_pickle(weighbridge, tmp_path, value, protocol, "--sidecar")
    assert_same({"w": np.arange(3.0), "things.0.inner": np.arange(4)}, actual)
    tree = sidecar(tmp_path / "arrays.pkl")
    assert tree["names"]["$ndarray"] == "<U7"
    assert tree["names"]["$shape"] == [2, 2]
    assert np.array_equal(np.frombuffer(base64.b64decode(tree["names"]["$bytes"]), "<U7").reshape(2, 2), names)
    items = tree["things"]["$items"]
    assert items[:3] == [{"inner": {"$tensor": "things.0.inner", "$numpy": "<i8"}}, None, "text"]
    assert items[3]["$scalar"] == "<f4"
    assert items[3]["$value"] == 1.5


@PROTOCOLS
def test_scalars_are_values(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    value = {"w": np.arange(3), "loss": np.float64(0.25), "step": np.int64(7), "done": np.bool_(True)}
    assert_same({"w": np.arange(3)}, convert_pickle(weighbridge, tmp_path, value, protocol, "--sidecar"))
    tree = sidecar(tmp_path / "arrays.pkl")
    assert [tree[key]["$value"] for key in ("loss", "step", "done")] == [0.25, 7, True]


@PROTOCOLS
@pytest.mark.parametrize("value", [random_array(">f4", 2, 3), np.float32(1.5)], ids=["array", "scalar"])
def test_a_lone_array_or_scalar(weighbridge: Weighbridge, tmp_path: Path, protocol: int, value: Any) -> None:
    assert_same({"array": value}, convert_pickle(weighbridge, tmp_path, value, protocol))


def test_complex128_is_split_on_request_and_refused_otherwise(weighbridge: Weighbridge, tmp_path: Path) -> None:
    numbers = random_array(">c16", 3, 4).T
    source = tmp_path / "complex.pkl"
    source.write_bytes(pickle.dumps({"c": numbers}))
    refused = weighbridge.run("convert", source)
    assert refused.returncode != 0
    assert "tensor 'c'" in refused.stderr
    assert "--complex split" in refused.stderr


@PROTOCOLS
def test_one_array_under_two_names_is_stored_once(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    shared = random_array("<f4", 30_000)
    value = {"a": shared, "b": {"c": shared}}
    assert_same({"a": shared}, convert_pickle(weighbridge, tmp_path, value, protocol))
    both = convert_pickle(weighbridge, tmp_path, value, protocol, "--shared", "copy")
    assert_same({"a": shared, "b.c": shared}, both)


def test_arrays_below_the_state_dict_are_tensors_and_others_stay(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "model.pt"
    weight = torch.arange(6.0).reshape(2, 3)
    torch.save({"state_dict": {"w": weight, "mean": np.arange(3)}, "rng": np.arange(624)}, source)
    assert_same({"w": weight.numpy(), "mean": np.arange(3)}, read(weighbridge.convert(source)))
    whole = {"state_dict.w": weight.numpy(), "state_dict.mean": np.arange(3), "rng": np.arange(624)}
    assert_same(whole, read(weighbridge.convert(source, "--key", ".")))


def test_a_detectron2_file(weighbridge: Weighbridge, tmp_path: Path) -> None:
    blobs = {"backbone.conv1.weight": random_array("<f4", 4, 3, 2, 2), "fc.bias": random_array("<f4", 5)}
    value = {"model": blobs, "__author__": "Caffe2", "matching_heuristics": True}
    for protocol in range(3):
        assert_same(blobs, convert_pickle(weighbridge, tmp_path, value, protocol))


def paddle_slices(name: str, array: np.ndarray[Any, Any], most: int) -> dict[str, Any]:
    """The array as paddle cuts large ones for protocols 2 and 3."""
    flat = array.flatten()
    count = -(-flat.size // most)
    names = [f"{name}@@.{i}" for i in range(count)]
    slices = {part: flat[i * most : (i + 1) * most] for i, part in enumerate(names)}
    return slices | {"UnpackBigParamInfor@@": {name: {"OriginShape": array.shape, "slices": names}}}


class Parameter:
    """Pickles itself as a paddle parameter does."""

    def __init__(self, name: str, array: np.ndarray[Any, Any]) -> None:
        self.pair = (name, array)

    def __reduce__(self) -> tuple[type, tuple[object]]:
        return tuple, (self.pair,)


@PROTOCOLS
def test_a_paddle_file(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    weight, bias, large = random_array("<f4", 3, 4), random_array("<u2", 4), random_array("<f8", 5, 7)
    value = OrderedDict(
        {"fc.weight": Parameter("linear_0.w_0", weight), "fc.bias": bias}
        | {"StructuredToParameterName@@": {"fc.weight": "linear_0.w_0"}}
        | paddle_slices("emb.weight", large, 6)
    )
    expected = {"fc.weight": weight, "fc.bias": bias, "emb.weight": large}
    assert_same(expected, convert_pickle(weighbridge, tmp_path, value, protocol))
    told = convert_pickle(weighbridge, tmp_path, value, protocol, "--paddle-bf16")
    assert told["fc.bias"] == Tensor("BF16", (4,), bias.tobytes())


class StaticTensor:
    """Pickles itself as a tensor of paddle's static graphs does."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return eval, ("data", {"data": self.array})


@PROTOCOLS
def test_the_one_harmless_use_of_eval(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    array = random_array("<f4", 3, 4)
    assert_same({"w": array}, convert_pickle(weighbridge, tmp_path, {"w": StaticTensor(array)}, protocol))


@pytest.mark.parametrize("array", every_layout().values(), ids=every_layout().keys())
def test_npy_files(weighbridge: Weighbridge, tmp_path: Path, array: np.ndarray[Any, Any]) -> None:
    source = tmp_path / "array.npy"
    np.save(source, array)
    assert_same({"array": array}, read(weighbridge.convert(source)))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)], ids=str)
def test_versions_of_npy_files(weighbridge: Weighbridge, tmp_path: Path, version: tuple[int, int]) -> None:
    array = np.zeros((2, 3), [("x", ">f4"), ("y", "<i2", (2,))])
    array["x"] = random_array("<f4", 2, 3).clip(-1, 1)
    source = tmp_path / "array.npy"
    with source.open("wb") as file:
        np.lib.format.write_array(file, array, version)
    assert_same({"array.x": array["x"], "array.y": array["y"]}, read(weighbridge.convert(source)))


def test_npy_files_of_objects(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "array.npy"
    inner = random_array("<f4", 4)
    np.save(source, np.array([{"w": inner}, "text", None], object), allow_pickle=True)
    assert_same({"0.w": inner}, read(weighbridge.convert(source, "--key", ".")))


def test_arrays_of_text_alone_are_refused_with_the_reason(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "names.pkl"
    source.write_bytes(pickle.dumps({"names": np.array(["a", "b"])}))
    done = weighbridge.run("convert", source)
    assert done.returncode != 0
    assert "holds text" in done.stderr


def test_what_the_expected_tensor_is() -> None:
    assert tensor_of(np.array([[1, 2], [3, 4]], ">i2", order="F")) == Tensor("I16", (2, 2), b"\1\0\2\0\3\0\4\0")
