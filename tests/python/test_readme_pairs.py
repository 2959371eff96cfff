"""Every pair in the table of README.md: each kind of file that is read becomes each that is written, and goes back."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import gguf
import h5py
import joblib
import numpy as np
import onnx
import pytest
import torch
from arrays import Tensor, read, tensor_of
from chain_formats import FORMATS, NPY, PT, Format
from onnx import numpy_helper
from onnx_models import model_of
from safetensors.numpy import save_file
from tensors import metadata

from cli import Weighbridge

README = Path(__file__).resolve().parents[2] / "README.md"
WEIGHT = np.arange(12, dtype=np.float32).reshape(3, 4) / 7
STEPS = np.arange(5, dtype=np.int64)
ARRAYS = {"layer.weight": WEIGHT, "steps": STEPS}


def tensors() -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array.copy()) for name, array in ARRAYS.items()}


def torch_zip(folder: Path) -> Path:
    torch.save(tensors(), folder / "in.pt")
    return folder / "in.pt"


def torch_legacy(folder: Path) -> Path:
    torch.save(tensors(), folder / "in.pth", _use_new_zipfile_serialization=False)
    return folder / "in.pth"


def plain_pickle(folder: Path) -> Path:
    (folder / "in.pkl").write_bytes(pickle.dumps(ARRAYS, protocol=4))
    return folder / "in.pkl"


class Module(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 3, bias=False)
        self.layer.weight.data = torch.from_numpy(WEIGHT.copy())
        self.register_buffer("steps", torch.from_numpy(STEPS.copy()))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layer(values)
        return result


def module(folder: Path) -> Path:
    torch.save(Module(), folder / "in.pt")
    return folder / "in.pt"


def joblib_file(folder: Path) -> Path:
    joblib.dump(ARRAYS, folder / "in.joblib")
    return folder / "in.joblib"


def shards(folder: Path) -> Path:
    names = [f"pytorch_model-0000{i}-of-00002.bin" for i in (1, 2)]
    for name, (key, tensor) in zip(names, tensors().items(), strict=True):
        torch.save({key: tensor}, folder / name)
    index = {"metadata": {"total_size": 88}, "weight_map": dict(zip(ARRAYS, names, strict=True))}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    return folder / "pytorch_model.bin.index.json"


def compressed(folder: Path) -> Path:
    (folder / "in.pt.gz").write_bytes(gzip.compress(torch_legacy(folder).read_bytes()))
    return folder / "in.pt.gz"


def numpy_archive(folder: Path) -> Path:
    np.savez_compressed(folder / "in.npz", **ARRAYS)
    return folder / "in.npz"


def onnx_model(folder: Path) -> Path:
    onnx.save(model_of([numpy_helper.from_array(array, name) for name, array in ARRAYS.items()]), folder / "in.onnx")
    return folder / "in.onnx"


def gguf_file(folder: Path) -> Path:
    writer = gguf.GGUFWriter(folder / "in.gguf", "llama")
    for name, array in ARRAYS.items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder / "in.gguf"


def hdf5_bytes() -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, array in ARRAYS.items():
            file[name] = array
    return content.getvalue()


def keras_archive(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "in.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", '{"module": "keras", "class_name": "Sequential", "config": {"layers": []}}')
        archive.writestr("model.weights.h5", hdf5_bytes())
    return folder / "in.keras"


def flax_file(folder: Path) -> Path:
    """As flax.serialization writes it, without flax: two arrays, one in a map."""

    def text(value: str) -> bytes:
        return bytes([0xA0 + len(value)]) + value.encode()

    def array(values: np.ndarray) -> bytes:
        shape = bytes([0x90 + values.ndim, *values.shape])
        data = values.tobytes()
        content = b"\x93" + shape + text(str(values.dtype)) + struct.pack(">BB", 0xC4, len(data)) + data
        return struct.pack(">BBb", 0xC7, len(content), 1) + content

    tree = b"\x82" + text("layer") + b"\x81" + text("weight") + array(WEIGHT) + text("steps") + array(STEPS)
    (folder / "in.msgpack").write_bytes(tree)
    return folder / "in.msgpack"


def safetensors(folder: Path) -> Path:
    save_file(ARRAYS, folder / "in.safetensors")
    return folder / "in.safetensors"


# One maker for each row of the table, by how the row begins.
ROWS: dict[str, Callable[[Path], Path]] = {
    "PyTorch zip archive": torch_zip,
    "PyTorch legacy stream": torch_legacy,
    "plain pickle": plain_pickle,
    "whole `nn.Module`": module,
    "joblib": joblib_file,
    "distributed checkpoints": shards,
    "any of these in gzip": compressed,
    "NumPy": numpy_archive,
    "ONNX": onnx_model,
    "GGUF": gguf_file,
    "Keras": keras_archive,
    "TensorFlow": flax_file,
    "safetensors": safetensors,
}
WRITTEN = [*FORMATS, NPY]


def table() -> list[tuple[str, str]]:
    """First and last cell of every row: what is read, and what is written."""
    part = README.read_text().split("## What converts to what")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    return [(row[0], row[-1]) for row in rows[2:]]


def test_every_row_and_every_way_back_is_tried_here() -> None:
    read_from, ways = zip(*table(), strict=True)
    for row in read_from:
        assert sum(row.startswith(start) for start in ROWS) == 1, row
    assert len(read_from) == len(ROWS)
    said = set(re.findall(r"`--to (\w+)`", " ".join(ways)))
    assert said == {step.to for step in WRITTEN} - {"safetensors"}
    assert "`--external`" in " ".join(ways)
    assert {"--external"} <= {option for step in WRITTEN for option in step.options}


def parts_of(file: Path) -> list[Path]:
    """A file, or the shards that are in its place."""
    return [file] if file.exists() else sorted(file.parent.glob(f"{file.stem}-*-of-*{file.suffix}"))


def read_parts(file: Path) -> dict[str, Tensor]:
    return {name: tensor for part in parts_of(file) for name, tensor in read(part).items()}


def as_safetensors(weighbridge: Weighbridge, source: Path) -> Path:
    output = source.with_name(f"{source.stem}.whole.safetensors")
    weighbridge.ok("convert", source, "-o", output, "--force")
    return output


def notes_of(step: Format, target: Path, back: Path) -> dict[str, str]:
    """The metadata that is left: that of a model is in the file beside it."""
    return metadata(target.with_suffix(".safetensors") if "--external" in step.options else parts_of(back)[0])


@pytest.mark.parametrize("step", WRITTEN, ids=lambda step: step.name)
@pytest.mark.parametrize("row", list(ROWS))
def test_there_and_back(weighbridge: Weighbridge, tmp_path: Path, row: str, step: Format) -> None:
    source = ROWS[row](tmp_path)
    wanted = {name: tensor_of(array) for name, array in ARRAYS.items()}
    before = as_safetensors(weighbridge, source)
    assert read_parts(before) == wanted
    target = tmp_path / f"out{step.suffix}"
    more = ["--select", "layer.weight"] if step is NPY else []
    status, report, error = step.convert(weighbridge, source, target, wanted, *more, "--dry-run", "--json")
    if step is PT and status == 1:
        assert "cannot come back as plain values" in error
        more = ["--no-sidecar"]
        status, report, error = step.convert(weighbridge, source, target, wanted, *more, "--dry-run", "--json")
    assert status == 0, error
    assert not target.exists()
    codes = {finding["code"] for finding in json.loads(report)["findings"]}
    assert step.convert(weighbridge, source, target, wanted, *more)[0] == 0
    if step is NPY:
        assert {"NameNotKept", "TensorsLeftOut"} <= codes
        assert read(weighbridge.convert(target)) == {"array": tensor_of(WEIGHT)}
        return
    shards = target.with_name(f"{target.name}.index.json")
    back = as_safetensors(weighbridge, target if target.exists() else shards)
    assert read_parts(back) == wanted
    kept = notes_of(step, target, back)
    lost = {key for key in metadata(parts_of(before)[0]) if key != "format" and key not in kept}
    assert not lost or "MetadataNotKept" in codes
