"""Real TensorFlow writes checkpoints and SavedModels; the variables come over as the same bits."""

from __future__ import annotations

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from arrays import read as read_tensors
from chain_formats import FORMATS, Format
from safetensors import safe_open

from cli import Weighbridge

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
Array = np.ndarray[Any, Any]

DTYPES = ["float32", "float64", "float16", "bool", "complex64"]
DTYPES += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
SMALL = {
    "BF16": ml_dtypes.bfloat16,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
}


def random_array(dtype: str, *shape: int) -> Array:
    rng = np.random.default_rng(1)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return rng.integers(0, 256, count, dtype=np.uint8).view(dtype).reshape(shape)


def content(path: Path) -> dict[str, tuple[str, list[int], bytes]]:
    """dtype, shape and bytes of every tensor, without anybody's idea of what they are."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])]) for name, t in header.items()}


def read(path: Path) -> dict[str, Array]:
    with safe_open(path, framework="np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping


def assert_same(expected: dict[str, Array], actual: dict[str, Array]) -> None:
    assert sorted(expected) == sorted(actual)
    for name, array in expected.items():
        assert actual[name].dtype == array.dtype, name
        assert actual[name].shape == array.shape, name
        assert actual[name].tobytes() == array.tobytes(), name


def save(prefix: Path, **variables: Any) -> Path:
    tf.train.Checkpoint(**variables).write(str(prefix))
    return prefix.with_name(prefix.name + ".index")


def test_every_dtype(weighbridge: Weighbridge, tmp_path: Path) -> None:
    arrays = {dtype: random_array(dtype, 3, 5) for dtype in DTYPES}
    arrays |= {"scalar": np.float32(1.5).reshape(()), "empty": np.zeros((0, 4), np.float32)}
    index = save(tmp_path / "m", **{name: tf.Variable(array) for name, array in arrays.items()})
    assert_same({name + VALUE: array for name, array in arrays.items()}, read(weighbridge.convert(index)))
    assert weighbridge.json("info", index)["format"] == "tensorflow"


def test_every_small_float(weighbridge: Weighbridge, tmp_path: Path) -> None:
    arrays = {name: random_array("uint8", 4 * np.dtype(dtype).itemsize).view(dtype) for name, dtype in SMALL.items()}
    index = save(tmp_path / "m", **{name: tf.Variable(array) for name, array in arrays.items()})
    tensors = content(weighbridge.convert(index))
    for name, array in arrays.items():
        assert tensors[name + VALUE] == (name, [4], array.tobytes())


def test_many_variables_fill_compressed_blocks(weighbridge: Weighbridge, tmp_path: Path) -> None:
    arrays = {f"variable_with_a_long_name_{i:05}": np.full((3,), i, np.float32) for i in range(2000)}
    holder = tf.Module()
    for name, array in arrays.items():
        setattr(holder, name, tf.Variable(array, name=name))
    index = save(tmp_path / "m", model=holder)
    assert_same({f"model/{name}{VALUE}": array for name, array in arrays.items()}, read(weighbridge.convert(index)))


def test_keras_model_and_optimizer(weighbridge: Weighbridge, tmp_path: Path) -> None:
    layers = [tf.keras.Input((8,)), tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(4)]
    model = tf.keras.Sequential(layers)
    optimizer = tf.keras.optimizers.Adam()
    model.compile(optimizer, "mse")
    model.fit(np.ones((4, 8), np.float32), np.ones((4, 4), np.float32), verbose=0)
    index = save(tmp_path / "m", model=model, optimizer=optimizer)
    reader = tf.train.load_checkpoint(str(tmp_path / "m"))
    strings = [name for name, dtype in reader.get_variable_to_dtype_map().items() if dtype == tf.string]
    expected = {
        name: np.asarray(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map() if name not in strings
    }
    assert len(expected) > 12
    assert_same(expected, read(weighbridge.convert(index)))
    codes = [finding["code"] for finding in weighbridge.json("convert", index, "--dry-run")["findings"]]
    assert codes == ["EntriesNotTaken"]


def test_names_of_variables(weighbridge: Weighbridge, tmp_path: Path) -> None:
    index = save(tmp_path / "m", a=tf.Variable([1.0], name="first"), b=tf.Variable([2.0], name="second"))
    tensors = read(weighbridge.convert(index, "--variable-names"))
    assert tensors["first"] == [1.0]
    assert tensors["second"] == [2.0]


def test_saved_model(weighbridge: Weighbridge, tmp_path: Path) -> None:
    module = tf.Module()
    module.kernel = tf.Variable(random_array("float32", 4, 3))
    tf.saved_model.save(module, str(tmp_path / "model"))
    expected = {"kernel" + VALUE: module.kernel.numpy()}
    output = tmp_path / "out.safetensors"
    for given in (tmp_path / "model", tmp_path / "model/variables/variables.index"):
        weighbridge.ok("convert", given, "-o", output, "--force")
        assert_same(expected, read(output))


def test_partitioned_variables(weighbridge: Weighbridge, tmp_path: Path) -> None:
    rows, columns = random_array("float32", 7, 4), random_array("int64", 3, 5)
    parts = {"7 4 0,3:-": rows[:3], "7 4 3,2:-": rows[3:5], "7 4 5,2:-": rows[5:]}
    parts |= {"3 5 -:0,4": columns[:, :4], "3 5 -:4,1": columns[:, 4:]}
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "m"),
        tensor_names=["rows"] * 3 + ["columns"] * 2 + ["whole"],
        shape_and_slices=[*parts, ""],
        tensors=[tf.constant(part) for part in (*parts.values(), rows)],
    )
    expected = {"rows": rows, "columns": columns, "whole": rows}
    assert_same(expected, read(weighbridge.convert(tmp_path / "m.index")))


def test_several_data_files(weighbridge: Weighbridge, tmp_path: Path) -> None:
    parts = []
    arrays = {f"t{i}": random_array("float32", i + 1, 3) for i in range(3)}
    for i, (name, array) in enumerate(arrays.items()):
        parts.append(str(tmp_path / f"part{i}"))
        tf.raw_ops.SaveV2(prefix=parts[-1], tensor_names=[name], shape_and_slices=[""], tensors=[tf.constant(array)])
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=parts, destination_prefix=str(tmp_path / "m"), delete_old_dirs=False
    )
    assert len(list(tmp_path.glob("m.data-*-of-00003"))) == 3
    assert_same(arrays, read(weighbridge.convert(tmp_path / "m.index")))


@pytest.mark.parametrize("step", FORMATS, ids=lambda step: step.name)
def test_every_format_that_is_written(weighbridge: Weighbridge, tmp_path: Path, step: Format) -> None:
    index = save(tmp_path / "m", w=tf.Variable(random_array("float32", 7, 3)), steps=tf.Variable(np.arange(5)))
    wanted = read_tensors(weighbridge.convert(index))
    target = tmp_path / f"out{step.suffix}"
    status, _, error = step.convert(weighbridge, index, target, wanted)
    assert status == 0, error
    assert read_tensors(weighbridge.convert(target)) == wanted


def test_changed_bytes_are_refused(weighbridge: Weighbridge, tmp_path: Path) -> None:
    index = save(tmp_path / "m", w=tf.Variable(random_array("float32", 100)))
    data = tmp_path / "m.data-00000-of-00001"
    content_before = bytearray(data.read_bytes())
    content_before[123] ^= 1
    data.write_bytes(content_before)
    done = weighbridge.run("convert", index, "-o", tmp_path / "out.safetensors")
    assert done.returncode == 1
    assert "has the CRC-32C" in done.stderr
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("size", [0, 10, 47, 48])
def test_short_indexes_are_refused(weighbridge: Weighbridge, tmp_path: Path, size: int) -> None:
    index = save(tmp_path / "m", w=tf.Variable([1.0]))
    index.write_bytes(index.read_bytes()[-size:] if size else b"")
    assert weighbridge.run("ls", index).returncode == 1
