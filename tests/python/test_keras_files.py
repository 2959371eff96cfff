"""Models that Keras saves, in each of its files, against what h5py reads in them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras_models as models
import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from cli import Weighbridge

FAMILIES = pytest.mark.parametrize("family", list(models.FAMILIES))


def values(dataset: h5py.Dataset) -> np.ndarray:
    """As numpy has it; Keras' bfloat16 is opaque to h5py."""
    found = dataset[()]
    if dataset.attrs.get("dtype") == "bfloat16":
        return np.asarray(found).view(ml_dtypes.bfloat16)
    return np.asarray(found)


def read(path: Path) -> dict[str, np.ndarray]:
    with safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def assert_same(converted: Path, expected: dict[str, h5py.Dataset]) -> None:
    """Bit for bit, and nothing more or less. Aliases stand in the metadata."""
    found = load_bits(converted)
    assert set(found) == set(expected)
    for name, dataset in expected.items():
        wanted = values(dataset)
        dtype, shape, data = found[name]
        assert shape == list(wanted.shape), name
        assert data == wanted.tobytes(), name
        assert (
            dtype
            == {
                "bfloat16": "BF16",
                "float16": "F16",
                "float32": "F32",
                "int64": "I64",
                "int32": "I32",
                "uint32": "U32",
                "float64": "F64",
                "bool": "BOOL",
            }[str(wanted.dtype)]
        ), name


def load_bits(path: Path) -> dict[str, tuple[str, list[int], bytes]]:
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    aliases = header.pop("__metadata__", {})
    found = {
        name: (
            entry["dtype"],
            entry["shape"],
            content[8 + size + entry["data_offsets"][0] : 8 + size + entry["data_offsets"][1]],
        )
        for name, entry in header.items()
    }
    found.update({alias: found[kept] for alias, kept in aliases.items() if kept in found})
    return found


def without(datasets: dict[str, h5py.Dataset], *prefixes: str) -> dict[str, h5py.Dataset]:
    return {name: item for name, item in datasets.items() if not name.startswith(prefixes)}


@FAMILIES
def test_a_keras_archive_gives_every_weight(weighbridge: Weighbridge, tmp_path: Path, family: str) -> None:
    path = tmp_path / "model.keras"
    models.build(family).save(path)
    converted = weighbridge.convert(path, "--sidecar")
    with zipfile.ZipFile(path) as archive:
        archive.extract("model.weights.h5", tmp_path)
        config = json.loads(archive.read("config.json"))
        metadata = json.loads(archive.read("metadata.json"))
    assert_same(converted, without(models.datasets(tmp_path / "model.weights.h5"), "optimizer/", "metrics/"))
    sidecar = json.loads(converted.with_name(converted.name + ".meta.json").read_text())
    assert sidecar["keras"]["config"] == config
    assert sidecar["keras"]["metadata"] == metadata


@FAMILIES
def test_a_file_of_weights(weighbridge: Weighbridge, tmp_path: Path, family: str) -> None:
    path = tmp_path / "model.weights.h5"
    models.build(family).save_weights(path)
    assert_same(weighbridge.convert(path), models.datasets(path))


@pytest.mark.parametrize("family", [family for family in models.FAMILIES if family != "mixed"])
def test_a_legacy_model(weighbridge: Weighbridge, tmp_path: Path, family: str) -> None:
    path = tmp_path / "model.h5"
    model = models.build(family)
    model.save(path)
    converted = weighbridge.convert(path, "--sidecar")
    assert_same(converted, without(models.datasets(path), "optimizer_weights/"))
    sidecar = json.loads(converted.with_name(converted.name + ".meta.json").read_text())
    assert sidecar["keras"]["config"] == json.loads(h5py.File(path).attrs["model_config"])
    assert sidecar["hdf5"]["attributes"]["/"]["keras_version"] == h5py.File(path).attrs["keras_version"]


def trained(path: Path) -> Any:
    """With the state of an optimizer."""
    model = models.build("dense")
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    model.fit(np.ones((4, 6), np.float32), np.ones((4, 2), np.float32), verbose=0)
    model.save(path)
    return model


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_the_optimizer_is_left_out_separate_or_among_the_weights(
    weighbridge: Weighbridge, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    trained(path)
    inner = path
    if name.endswith(".keras"):
        with zipfile.ZipFile(path) as archive:
            inner = Path(archive.extract("model.weights.h5", tmp_path))
    every = models.datasets(inner)
    weights = without(every, "optimizer", "metrics")
    assert 0 < len(weights) < len(every)
    assert_same(weighbridge.convert(path), weights)
    assert_same(weighbridge.convert(path, "--optimizer", "inline"), every)
    converted = weighbridge.convert(path, "--optimizer", "separate")
    assert_same(converted, weights)
    beside = converted.with_name(converted.name.removesuffix(".safetensors") + ".optimizer.safetensors")
    assert_same(beside, {name: item for name, item in every.items() if name not in weights})


def test_weights_in_several_files(weighbridge: Weighbridge, tmp_path: Path) -> None:
    model = models.build("convolutions")
    model.save_weights(tmp_path / "big.weights.json", max_shard_size=1e-6)
    shards = sorted(tmp_path.glob("big_*.weights.h5"))
    assert len(shards) > 1
    expected: dict[str, h5py.Dataset] = {}
    for shard in shards:
        expected.update(models.datasets(shard))
    assert_same(weighbridge.convert(tmp_path / "big.weights.json"), expected)
    shards[1].unlink()
    refused = weighbridge.run("convert", tmp_path / "big.weights.json", "-o", tmp_path / "out.safetensors")
    assert refused.returncode == 1
    assert f"'{shards[1].name}' is not beside its index" in refused.stderr


def test_a_deflated_archive(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    models.build("convolutions").save(path)
    packed = tmp_path / "packed.keras"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in archive.namelist():
            out.writestr(entry, archive.read(entry))
    assert load_bits(weighbridge.convert(packed)) == load_bits(weighbridge.convert(path))


def test_backslashes_of_windows_and_the_names_of_keras_2_12(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as file:
        file["_layer_checkpoint_dependencies\\dense/vars/0"] = np.arange(6, dtype="f4").reshape(2, 3)
        file["optimizer\\vars/0"] = np.zeros(1, "i8")
    assert set(read(weighbridge.convert(path))) == {"_layer_checkpoint_dependencies\\dense/vars/0"}


def test_layers_without_weights_and_attributes_in_parts(weighbridge: Weighbridge, tmp_path: Path) -> None:
    """As Keras 2 wrote them: the names of many layers do not fit into one attribute."""
    path = tmp_path / "model.h5"
    names = [f"layer_with_a_name_that_is_long_{i:04d}" for i in range(20)]
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights")
        for part in range(2):
            root.attrs[f"layer_names{part}"] = np.array(list(reversed(names))[part * 10 : part * 10 + 10], "S")
        for i, name in enumerate(names):
            layer = root.create_group(name)
            if i % 2:
                layer.attrs["weight_names"] = np.array([], dtype="f8")
                continue
            layer.attrs["weight_names"] = np.array([f"{name}/kernel:0"], "S")
            layer[f"{name}/kernel:0"] = np.full(3, i, "f4")
        file.attrs["model_config"] = b'{"class_name": "Sequential"}'
    order = [entry["name"] for entry in weighbridge.json("ls", path)["tensors"]]
    assert order == [f"model_weights/{name}/{name}/kernel:0" for name in reversed(names[::2])]
    pretty = set(read(weighbridge.convert(path, "--names", "pretty")))
    assert pretty == {f"{name}.kernel" for name in names[::2]}


def variable_names(model: Any) -> set[str]:
    """What Keras calls its variables, the model's own name aside."""
    return {variable.path.replace("/", ".") for variable in model.variables if "seed" not in variable.path}


@pytest.mark.parametrize(
    "family", ["dense", "convolutions", "lines", "volumes", "attention", "preprocessing", "nested"]
)
def test_pretty_names_are_those_of_the_variables(weighbridge: Weighbridge, tmp_path: Path, family: str) -> None:
    path = tmp_path / "model.keras"
    model = models.build(family)
    model.save(path)
    found = load_bits(weighbridge.convert(path, "--names", "pretty"))
    by_last = {variable.path: variable for variable in model.variables if "seed" not in variable.path}
    named = {name for name in found if "seed" not in name}
    assert len(named) == len(by_last)
    for variable in by_last.values():
        bits = variable.numpy().tobytes()
        candidates = [name for name in named if found[name][2] == bits]
        assert len(candidates) == 1, variable.path
        assert candidates[0].endswith("." + variable.name), (candidates, variable.path)
        layer = variable.path.split("/")[-2]
        assert layer in candidates[0].split(".") or family == "attention", (candidates, variable.path)


def test_pretty_names_of_recurrent_layers(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = models.build("recurrent")
    model.save(path)
    names = set(load_bits(weighbridge.convert(path, "--names", "pretty")))
    assert {
        "embedding.embeddings",
        "lstm.cell.kernel",
        "lstm.cell.recurrent_kernel",
        "lstm.cell.bias",
        "bidirectional.forward_layer.cell.kernel",
        "bidirectional.backward_layer.cell.bias",
        "simple_rnn.cell.bias",
        "time_distributed.layer.kernel",
    } <= names


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {
        "name": "evil",
        "function": {"class_name": "__lambda__", "config": {"code": "4wEAAA==", "defaults": None, "closure": None}},
    },
}

ATTACKS: dict[str, tuple[dict[str, Any], str]] = {
    "lambda": (LAMBDA, "KerasLambda"),
    "a module": ({"module": "os", "class_name": "system", "config": {"command": "id"}}, "KerasCode"),
    "a function of a module": (
        {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "exec"},
        "KerasCode",
    ),
    "get_file": (
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "https://example.invalid/a"}},
        "KerasCode",
    ),
    "unsafe deserialization": (
        {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"},
        "KerasCode",
    ),
    "a file as vocabulary": (
        {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
        "KerasFileAccess",
    ),
    "a module of torch": (
        {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": "gAJ9cQAu"}},
        "KerasCode",
    ),
}


def attacked(path: Path, layer: dict[str, Any]) -> Path:
    models.build("dense").save(path)
    if path.suffix == ".h5":
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            config["config"]["layers"].append(layer)
            file.attrs["model_config"] = json.dumps(config)
        return path
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed, "w") as out:
        for entry in archive.namelist():
            content = archive.read(entry)
            if entry == "config.json":
                config = json.loads(content)
                config["config"]["layers"].append(layer)
                content = json.dumps(config).encode()
            out.writestr(entry, content)
    path.write_bytes(changed.getvalue())
    return path


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("attack", list(ATTACKS))
def test_what_a_loader_would_run_is_dangerous(
    weighbridge: Weighbridge, tmp_path: Path, attack: str, suffix: str
) -> None:
    layer, code = ATTACKS[attack]
    path = attacked(tmp_path / f"model{suffix}", layer)
    scanned = weighbridge.run("scan", path, "--json")
    assert scanned.returncode == 4, scanned.stdout
    report = json.loads(scanned.stdout)["files"][0]
    assert report["verdict"] == "dangerous"
    assert code in {finding["code"] for finding in report["findings"]}
    output = tmp_path / "out.safetensors"
    refused = weighbridge.run("convert", path, "-o", output)
    assert refused.returncode == 4, refused.stderr
    assert not output.exists()
    weighbridge.ok("convert", path, "-o", output, "--allow-dangerous")
    assert len(load_file(output)) == 3


@FAMILIES
def test_models_of_keras_itself_are_clean(weighbridge: Weighbridge, tmp_path: Path, family: str) -> None:
    """And layers of one's own are unknown."""
    for name in ["model.keras", "model.weights.h5"] + (["model.h5"] if family != "mixed" else []):
        path = tmp_path / name
        model = models.build(family)
        model.save_weights(path) if ".weights." in name else model.save(path)
        report = json.loads(weighbridge.run("scan", path, "--json").stdout)["files"][0]
        described = family == "own" and ".weights." not in name
        assert report["verdict"] == ("unknown" if described else "clean"), (name, report)


def test_an_archive_behind_the_weights_is_seen(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    models.build("dense").save_weights(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/data.pkl", b"cos\nsystem\n(S'true'\ntR.")
    report = json.loads(weighbridge.run("scan", path, "--json").stdout)["files"][0]
    assert report["verdict"] == "dangerous"


def test_a_description_in_utf_16_is_no_hiding_place(weighbridge: Weighbridge, tmp_path: Path) -> None:
    """json.loads() reads it."""
    path = tmp_path / "model.keras"
    models.build("dense").save(path)
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed, "w") as out:
        for entry in archive.namelist():
            content = archive.read(entry)
            out.writestr(entry, json.dumps(LAMBDA).encode("utf-16") if entry == "config.json" else content)
    path.write_bytes(changed.getvalue())
    assert json.loads(weighbridge.run("scan", path, "--json").stdout)["files"][0]["verdict"] == "malformed"


def test_other_json_is_no_description(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text('{"vocab": {"\\u00e9": 1}}')
    assert json.loads(weighbridge.run("scan", path, "--json").stdout)["files"][0]["verdict"] == "not a checkpoint"


def test_a_class_of_ones_own_is_unknown_and_converts(weighbridge: Weighbridge, tmp_path: Path) -> None:
    layer = {
        "module": "my_package.layers",
        "class_name": "Mine",
        "config": {"name": "m"},
        "registered_name": "Pack>Mine",
    }
    path = attacked(tmp_path / "model.keras", layer)
    scanned = weighbridge.run("scan", path, "--json")
    assert json.loads(scanned.stdout)["files"][0]["verdict"] == "unknown"
    weighbridge.convert(path)


def test_without_its_worker_the_program_reads_no_hdf5(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    models.build("dense").save_weights(path)
    refused = weighbridge.run("convert", path, "--sandbox", "off", "-o", tmp_path / "out.safetensors")
    assert refused.returncode == 1
    assert "reads in its worker alone" in refused.stderr
