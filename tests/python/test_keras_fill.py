"""Weights put into saved models, which Keras then loads."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras_models as models
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cli import Weighbridge

keras = models.keras


def example(model: Any) -> np.ndarray:
    rng = np.random.default_rng(1)
    shape = (3, *model.input_shape[1:])
    if model.inputs[0].dtype == "int32":
        return rng.integers(0, 11, shape)
    return rng.normal(size=shape).astype(np.float32)


def outputs(model: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(model(example(model), training=False), "float32")))


def another(family: str) -> Any:
    """The same architecture with other weights: what a template is."""
    model = models.build(family)
    for variable in filter(models.is_weight, model.variables):
        variable.assign(keras.ops.add(variable, 0.25))
    return model


SUFFIXES = [".keras", ".weights.h5", ".h5"]
# Keras' legacy writer has no bfloat16.
KINDS = [(family, suffix) for family in models.FAMILIES for suffix in SUFFIXES if (family, suffix) != ("mixed", ".h5")]


@pytest.mark.parametrize(("family", "suffix"), KINDS)
def test_a_filled_template_is_the_model(weighbridge: Weighbridge, tmp_path: Path, family: str, suffix: str) -> None:
    model = models.build(family)
    source, form, made = (tmp_path / f"{name}{suffix}" for name in ("source", "form", "made"))
    save = (lambda m, p: m.save_weights(p)) if suffix == ".weights.h5" else (lambda m, p: m.save(p))
    save(model, source)
    wanted = outputs(model)
    other = another(family)
    save(other, form)
    assert not np.array_equal(outputs(other), wanted)
    tensors = weighbridge.convert(source, "--shared", "copy")
    kind = "keras" if suffix == ".keras" else "h5"
    weighbridge.ok("convert", tensors, "--to", kind, "--template", form, "-o", made)
    if suffix == ".keras":
        with zipfile.ZipFile(made) as archive:
            assert archive.testzip() is None
    # Keras does not read a whole model with attention from its legacy format, whoever wrote it.
    if suffix == ".weights.h5" or (family, suffix) == ("attention", ".h5"):
        other.load_weights(made)
        loaded = other
    else:
        loaded = keras.models.load_model(made)
    assert np.array_equal(outputs(loaded), wanted)


def test_pretty_names_find_their_places(weighbridge: Weighbridge, tmp_path: Path) -> None:
    model = models.build("convolutions")
    model.save(tmp_path / "source.keras")
    another("convolutions").save(tmp_path / "form.keras")
    tensors = weighbridge.convert(tmp_path / "source.keras", "--names", "pretty")
    made = tmp_path / "made.keras"
    weighbridge.ok(
        "convert", tensors, "--to", "keras", "--template", tmp_path / "form.keras", "-o", made, "--names", "pretty"
    )
    assert np.array_equal(outputs(keras.models.load_model(made)), outputs(model))


def test_big_endian_and_every_dtype_go_back_as_they_were(weighbridge: Weighbridge, tmp_path: Path) -> None:
    form = tmp_path / "form.h5"
    dtypes = ["<f4", ">f4", ">f2", ">i8", "<u2", "|b1", ">c8", "<i1"]
    with h5py.File(form, "w") as file:
        for i, dtype in enumerate(dtypes):
            file[f"group/{i}"] = np.zeros((2, 3), dtype)
        file.attrs["kept"] = "yes"
        file["text"] = "kept"
    wanted = {
        f"group/{i}": np.arange(6).reshape(2, 3).astype(np.dtype(d).newbyteorder("=")) for i, d in enumerate(dtypes)
    }
    save_file(wanted, tmp_path / "in.safetensors")
    made = tmp_path / "made.h5"
    weighbridge.ok("convert", tmp_path / "in.safetensors", "--to", "h5", "--template", form, "-o", made)
    with h5py.File(made) as file:
        for i, dtype in enumerate(dtypes):
            assert file[f"group/{i}"].dtype == np.dtype(dtype)
            assert np.array_equal(file[f"group/{i}"][()], wanted[f"group/{i}"])
        assert (file.attrs["kept"], file["text"][()]) == ("yes", b"kept")
    assert load_file(weighbridge.convert(made)).keys() == wanted.keys()


def refused(weighbridge: Weighbridge, folder: Path, tensors: dict[str, np.ndarray], form: Path, kind: str) -> str:
    save_file(tensors, folder / "in.safetensors")
    made = folder / "made.out"
    done = weighbridge.run("convert", folder / "in.safetensors", "--to", kind, "--template", form, "-o", made)
    assert done.returncode in (1, 2), done.stderr
    assert not made.exists()
    return done.stderr


def test_what_does_not_fit_is_refused(weighbridge: Weighbridge, tmp_path: Path) -> None:
    form = tmp_path / "form.h5"
    with h5py.File(form, "w") as file:
        file["a"] = np.zeros(4, "f4")
    fits = np.zeros(4, np.float32)
    assert "template has F32 [4] there" in refused(weighbridge, tmp_path, {"a": np.zeros(5, np.float32)}, form, "h5")
    assert "template has F32 [4] there" in refused(weighbridge, tmp_path, {"a": np.zeros(4, np.int32)}, form, "h5")
    assert "no tensor of that name" in refused(weighbridge, tmp_path, {"b": fits}, form, "h5")
    assert "has no place for it" in refused(weighbridge, tmp_path, {"a": fits, "b": fits}, form, "h5")
    assert "no .keras archive" in refused(weighbridge, tmp_path, {"a": fits}, form, "keras")
    chunked = tmp_path / "chunked.h5"
    with h5py.File(chunked, "w") as file:
        file.create_dataset("a", data=fits, chunks=(2,))
    assert "in chunks" in refused(weighbridge, tmp_path, {"a": fits}, chunked, "h5")
    late = tmp_path / "late.h5"
    with h5py.File(late, "w") as file:
        file.create_dataset("a", (4,), "f4")
    assert "not at all" in refused(weighbridge, tmp_path, {"a": fits}, late, "h5")


@pytest.mark.parametrize("family", list(models.FAMILIES))
def test_a_new_file_of_weights_loads(weighbridge: Weighbridge, tmp_path: Path, family: str) -> None:
    model = models.build(family)
    model.save_weights(tmp_path / "source.weights.h5")
    wanted = outputs(model)
    tensors = weighbridge.convert(tmp_path / "source.weights.h5")
    made = tmp_path / "made.weights.h5"
    weighbridge.ok("convert", tensors, "--to", "h5", "-o", made)
    other = another(family)
    other.load_weights(made)
    assert np.array_equal(outputs(other), wanted)


@pytest.mark.parametrize("members", [0, 1, 7, 8, 9, 255, 256, 257, 9000])
def test_a_new_file_is_read_by_h5py_and_by_us(weighbridge: Weighbridge, tmp_path: Path, members: int) -> None:
    wanted = {f"many/{'x' * (i % 9)}{i}": np.arange(i % 5, dtype="i4") for i in range(members)}
    for dtype in ["f2", "f4", "f8", "i1", "i2", "i8", "u1", "u2", "u4", "u8", "?", "c8"]:
        wanted[f"a/b/{dtype}"] = np.arange(3).astype(dtype)
    wanted["scalar"] = np.array(3, np.float32)
    save_file(wanted, tmp_path / "in.safetensors", metadata={"tied/name": "scalar", "format": "np"})
    made = tmp_path / "made.h5"
    weighbridge.ok("convert", tmp_path / "in.safetensors", "--to", "h5", "-o", made)
    with h5py.File(made) as file:
        assert file["tied/name"] == file["scalar"]
        for name, value in wanted.items():
            assert file[name].dtype == value.dtype
            assert np.array_equal(file[name][()], value), name
    again = load_file(weighbridge.convert(made))
    assert all(np.array_equal(again[name], value) for name, value in wanted.items() if name != "scalar")
    assert again.keys() | {"scalar", "tied/name"} == wanted.keys() | {"tied/name"}


def test_names_that_are_no_paths_are_refused(weighbridge: Weighbridge, tmp_path: Path) -> None:
    for names in (["a", "a/b"], ["a//b"], ["/a"], ["a/../b"], ["."]):
        save_file({name: np.zeros(1) for name in names}, tmp_path / "in.safetensors")
        done = weighbridge.run("convert", tmp_path / "in.safetensors", "--to", "h5", "-o", tmp_path / "out.h5")
        assert done.returncode in (1, 2), names
        assert not (tmp_path / "out.h5").exists()


def test_a_template_is_needed(weighbridge: Weighbridge, tmp_path: Path) -> None:
    save_file({"a": np.zeros(1)}, tmp_path / "in.safetensors")
    done = weighbridge.run("convert", tmp_path / "in.safetensors", "--to", "keras", "-o", tmp_path / "out.keras")
    assert done.returncode == 2
    assert "--template" in done.stderr


def test_a_dangerous_template_is_refused(weighbridge: Weighbridge, tmp_path: Path) -> None:
    form = tmp_path / "form.h5"
    with h5py.File(form, "w") as file:
        file["a"] = np.zeros(4, "f4")
        file.attrs["model_config"] = '{"class_name": "Lambda", "config": {"name": "evil"}}'
    tensors = tmp_path / "in.safetensors"
    save_file({"a": np.ones(4, np.float32)}, tensors)
    made = tmp_path / "made.h5"
    done = weighbridge.run("convert", tensors, "--to", "h5", "--template", form, "-o", made)
    assert done.returncode == 4
    assert not made.exists()
    weighbridge.ok("convert", tensors, "--to", "h5", "--template", form, "-o", made, "--allow-dangerous")


def test_the_state_of_training_stays_and_is_told(weighbridge: Weighbridge, tmp_path: Path) -> None:
    model = models.build("dense")
    model.compile(optimizer="adam", loss="mse")
    model.fit(np.ones((4, 6), np.float32), np.ones((4, 2), np.float32), verbose=0)
    form = tmp_path / "form.keras"
    model.save(form)
    tensors = weighbridge.convert(form)
    done = weighbridge.json("convert", tensors, "--to", "keras", "--template", form, "-o", tmp_path / "made.keras")
    assert "TrainingStateKept" in {finding["code"] for finding in done["findings"]}
    assert np.array_equal(outputs(keras.models.load_model(tmp_path / "made.keras")), outputs(model))
