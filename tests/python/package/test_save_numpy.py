"""Saving numpy arrays: what is shown is what is saved, and the file is the reference's, byte for byte."""

from __future__ import annotations

import bz2
import errno
import io
import json
import os
import stat
import struct
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy as reference
import weighbridge.numpy as ours
from weighbridge import SafetensorError, _native, _save_numpy

BASE = np.arange(24, dtype=np.float32).reshape(4, 6)
LARGE = np.arange(2400, dtype=np.float32).reshape(40, 60)  # no more copied before it is written
VIEWS = {
    "contiguous": BASE,
    "fortran": np.asfortranarray(BASE),
    "transposed": BASE.T,
    "strided": BASE[::2, 1::3],
    "reversed": BASE[::-1],
    "reversed inside": BASE[:, ::-2],
    "broadcast": np.broadcast_to(BASE[0], (3, 6)),
    "scalar": np.array(2.5, np.float64),
    "numpy scalar": np.float32(7),
    "empty": np.zeros((0, 3), np.int16),
    "empty strided": np.zeros((4, 0, 3), np.int16)[::-1],
    "three axes": np.arange(60, dtype=np.int64).reshape(3, 4, 5).transpose(2, 0, 1),
    "big-endian": BASE.astype(">f4"),
    "big-endian reversed": BASE.astype(">f8")[::-1, ::2],
    "big-endian complex": (BASE + 1j).astype(">c8"),
    "big-endian transposed": BASE.astype(">i2").T,
    "bool": BASE > 3,
    "bool strided": (BASE > 3)[:, ::2],
    "read-only": np.frombuffer(BASE.tobytes(), np.float32),
    "large": LARGE,
    "large fortran": np.asfortranarray(LARGE),
    "large strided": LARGE[::2, 1::3],
    "large reversed": LARGE[:, ::-2],
    "large big-endian": LARGE.astype(">f4"),
    "large bool": LARGE > 3,
    "of a subclass": BASE.view(np.ma.MaskedArray),
}


def load(data: bytes) -> dict[str, tuple[str, list[int], bytes]]:
    """Each tensor of a file as dtype, shape and bytes: no library between the test and the file."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = (entry["dtype"], entry["shape"], data[8 + length + begin : 8 + length + end])
    return tensors


@pytest.mark.parametrize("name", VIEWS)
def test_arrays_are_saved_as_what_they_show(name: str) -> None:
    array = np.asarray(VIEWS[name])
    little = np.array(array, dtype=array.dtype.newbyteorder("<"), order="C")
    _, shape, data = load(ours.save({name: VIEWS[name]}))[name]
    assert shape == list(array.shape)
    assert data == little.tobytes()
    assert ours.save({name: VIEWS[name]}) == reference.save({name: little})


def test_structured_fields_are_strided_and_unaligned() -> None:
    records = np.zeros(5, np.dtype([("a", "u1"), ("b", "<f4")]))
    records["b"] = np.arange(5)
    assert load(ours.save({"b": records["b"]}))["b"][2] == np.arange(5, dtype=np.float32).tobytes()


@pytest.mark.parametrize(
    ("dtype", "code"),
    [
        (ml_dtypes.bfloat16, "BF16"),
        (ml_dtypes.float8_e4m3fn, "F8_E4M3"),
        (ml_dtypes.float8_e5m2, "F8_E5M2"),
        (ml_dtypes.float8_e4m3fnuz, "F8_E4M3FNUZ"),
        (ml_dtypes.float8_e5m2fnuz, "F8_E5M2FNUZ"),
        (ml_dtypes.float8_e8m0fnu, "F8_E8M0"),
    ],
)
def test_dtypes_of_ml_dtypes_in_any_order(dtype: Any, code: str) -> None:
    array = BASE.astype(dtype)
    for view in (array, array.T, array[::-1, ::2], array[1, 2]):
        shown = np.array(view, order="C")
        assert load(ours.save({"x": view}))["x"] == (code, list(view.shape), shown.tobytes())


def test_float4_elements_share_bytes_low_half_first() -> None:
    array = np.array([[0.5, 1.0, 1.5, 2.0]]).astype(ml_dtypes.float4_e2m1fn)
    assert load(ours.save({"x": array}))["x"] == ("F4", [1, 4], b"\x21\x43")
    with pytest.raises(SafetensorError, match="3 elements of 4 bits"):
        ours.save({"x": array[0, :3]})


@pytest.mark.parametrize("dtype", ["complex128", "longdouble", "datetime64[s]", "U3", "O"])
def test_dtypes_that_the_format_has_not_are_named(dtype: str) -> None:
    with pytest.raises(SafetensorError, match="Unknown dtype") as caught:
        ours.save({"w": np.zeros(2, dtype)})
    assert caught.value.tensor == "w"


@pytest.mark.parametrize("tensors", [{"a": [1.0]}, {"a": b"bytes"}, {1: BASE}, {"a": None}])
def test_anything_but_named_arrays_is_a_type_error(tensors: Any) -> None:
    with pytest.raises(TypeError):
        ours.save(tensors)


def test_names_that_cannot_be_read_back_are_refused() -> None:
    with pytest.raises(SafetensorError, match="__metadata__"):
        ours.save({"__metadata__": BASE})
    with pytest.raises(UnicodeEncodeError):
        ours.save({"\ud800": BASE})


def test_no_tensors_and_empty_metadata_are_a_valid_file() -> None:
    data = ours.save({}, metadata={})
    assert json.loads(data[8:]) == {"__metadata__": {}}


def test_metadata_must_be_text_and_are_ordered() -> None:
    wrong: list[Any] = [{"k": 1}, {1: "v"}, {"k": None}, "k"]
    for metadata in wrong:
        with pytest.raises(TypeError):
            ours.save({}, metadata=metadata)
    assert ours.save({}, metadata={"b": "2", "a": "1"}) == ours.save({}, metadata={"a": "1", "b": "2"})


def test_arguments_are_not_changed() -> None:
    tensors, metadata = dict(VIEWS), {"k": "v"}
    before = {name: id(array) for name, array in tensors.items()}
    ours.save(tensors, metadata=metadata)
    assert {name: id(array) for name, array in tensors.items()} == before
    assert metadata == {"k": "v"}


def test_alignment_and_slack_are_as_asked() -> None:
    data = ours.save({"x": BASE}, metadata={"k": "v"}, alignment=4096, slack=100)
    assert struct.unpack("<Q", data[:8])[0] + 8 == 4096
    assert b'{"k":"v"}' + b" " * 100 + b"," in data
    with pytest.raises(SafetensorError, match="alignment of 3"):
        ours.save({}, alignment=3)


def test_arrays_may_not_be_resized_while_they_are_collected() -> None:
    array = np.zeros(100)
    collected = _save_numpy.collect({"a": array})
    with pytest.raises(ValueError, match="resize"):
        array.resize(1000)
    del collected
    array.resize(1000)


def test_small_arrays_are_collected_as_they_are_then() -> None:
    tensors = {"gone": np.arange(4), "changed": np.arange(4), "resized": np.arange(4)}
    expected = ours.save(tensors)
    collected = _save_numpy.collect(tensors)
    del tensors["gone"]
    tensors["changed"][:] = 7
    tensors["resized"].resize(1000)
    assert _native.serialize(collected, None) == expected


@pytest.mark.parametrize("dtype", [np.dtype(code) for code in "?bBhHiIlLqQefdF"], ids=str)
def test_small_arrays_are_read_without_a_reference_to_them(dtype: Any) -> None:
    array = np.ones((2, 3), dtype)
    before = sys.getrefcount(array)
    collected = _save_numpy.collect({"a": array})
    assert sys.getrefcount(array) == before
    del collected


@pytest.mark.parametrize("count", [31, 32, 33])
def test_arrays_around_the_size_that_is_copied(count: int) -> None:
    tensors = {f"ä{i}": np.arange(i, i + count, dtype=np.int64) for i in range(50)}
    assert ours.save(tensors) == reference.save(tensors)


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    ours.save_file({"a": BASE}, path)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(0o640)
    ours.save_file({"b": BASE}, str(path), durable=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(load(path.read_bytes())) == ["b"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    ours.save_file({"a": BASE}, link)
    assert link.is_symlink()
    assert list(load(target.read_bytes())) == ["a"]


def test_what_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(SafetensorError):
        ours.save_file({"a": BASE, "b": np.zeros(1, "O")}, path)
    with pytest.raises(FileExistsError):
        ours.save_file({"a": BASE}, path, overwrite=False)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("place", "kind", "number"),
    [("none/x", FileNotFoundError, errno.ENOENT), (".", IsADirectoryError, errno.EISDIR)],
)
def test_failures_of_the_system_keep_their_errno(tmp_path: Path, place: str, kind: type, number: int) -> None:
    with pytest.raises(kind) as caught:
        ours.save_file({"a": BASE}, tmp_path / place)
    assert isinstance(caught.value, SafetensorError)
    assert caught.value.errno == number


def test_descriptors_and_file_objects_are_destinations(tmp_path: Path) -> None:
    data = ours.save({"a": BASE})
    with (tmp_path / "x").open("wb") as file:
        ours.save_file({"a": BASE}, file)
        file.write(b"more")
    assert (tmp_path / "x").read_bytes() == data + b"more"
    with (tmp_path / "y").open("wb") as file:
        file.write(b"first")
        ours.save_file({"a": BASE}, file)
    assert (tmp_path / "y").read_bytes() == b"first" + data
    with (tmp_path / "raw").open("wb", buffering=0) as raw:
        ours.save_file({"a": BASE}, raw)
    assert (tmp_path / "raw").read_bytes() == data
    with bz2.open(tmp_path / "packed", "wb") as packed:
        ours.save_file({"a": BASE}, packed)
    assert bz2.decompress((tmp_path / "packed").read_bytes()) == data
    memory = io.BytesIO()
    ours.save_file({"a": BASE}, memory)
    assert memory.getvalue() == data
    read, write = os.pipe()
    ours.save_file({"a": BASE}, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == data
    with pytest.raises(TypeError, match="destination"):
        ours.save_file({"a": BASE}, 1.5)  # type: ignore[arg-type]


def test_shards_have_an_index_and_only_their_own_metadata(tmp_path: Path) -> None:
    tensors = {f"w{i}": np.full(100, i, np.uint8) for i in range(7)}
    metadata = {"format": "np", "tied": "w6"}
    ours.save_file(tensors, tmp_path / "m.safetensors", metadata=metadata, max_shard_size=250)
    index = json.loads((tmp_path / "m.safetensors.index.json").read_text())
    assert index["metadata"] == {"total_size": 700}
    assert sorted(index["weight_map"]) == sorted(tensors)
    for name, file in index["weight_map"].items():
        assert load((tmp_path / file).read_bytes())[name][2] == tensors[name].tobytes()
    files = sorted(set(index["weight_map"].values()))
    assert files == [f"m-{i:05}-of-00004.safetensors" for i in range(1, 5)]
    with pytest.raises(FileExistsError):
        ours.save_file(tensors, tmp_path / "m.safetensors", max_shard_size=250, overwrite=False)
    heads = [(tmp_path / file).read_bytes() for file in files]
    assert [b'"tied":"w6"' in head for head in heads] == [False, False, False, True]


def test_files_that_take_little_at_once_get_all() -> None:
    class Slow(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data[:7]))

    slow = Slow()
    ours.save_file({"a": BASE}, slow)
    assert slow.getvalue() == ours.save({"a": BASE})


def test_one_shard_is_one_file(tmp_path: Path) -> None:
    ours.save_file({"a": BASE}, tmp_path / "m.safetensors", max_shard_size="1 MiB")
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]
    for size in ("much", "0", 0, "5 parsecs"):
        with pytest.raises(ValueError, match=r"shard|size"):
            ours.save_file({"a": BASE}, tmp_path / "m.safetensors", max_shard_size=size)
    with pytest.raises(TypeError):
        ours.save_file({"a": BASE}, io.BytesIO(), max_shard_size="1GB")
