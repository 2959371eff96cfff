"""The formats that the program writes: what each can hold, and what it needs beside the tensors."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx
from arrays import Tensor
from onnx import TensorProto
from onnx_models import DTYPES as ONNX_DTYPES
from onnx_models import model_of

from cli import Weighbridge

# Every dtype of safetensors, and the bits of an element.
BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
EVERY = frozenset(BITS)
SIX_BITS = {"F6_E2M3", "F6_E3M2"}
SMALL_FLOATS = {name for name in BITS if name[:2] in ("F4", "F6", "F8")}
HDF5 = EVERY - SMALL_FLOATS | {"F8_E5M2"}

Tensors = Mapping[str, Tensor]


def write_safetensors(file: Path, tensors: Tensors, metadata: Mapping[str, str] | None = None) -> Path:
    """Writes the file without anybody's library, so that it can have what none of them would write."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    content = b""
    for name, tensor in tensors.items():
        end = len(content) + len(tensor.content)
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [len(content), end]}
        content += tensor.content
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(len(text).to_bytes(8, "little") + text + content)
    return file


def zeros(tensors: Tensors) -> dict[str, Tensor]:
    """The same tensors with nothing in them: what templates are made of."""
    return {name: Tensor(each.dtype, each.shape, bytes(len(each.content))) for name, each in tensors.items()}


def onnx_template(weighbridge: Weighbridge, file: Path, tensors: Tensors) -> Path:
    """A model with an initializer for each tensor."""
    types = {name: kind for kind, name in ONNX_DTYPES.items()}
    initializers = [
        TensorProto(name=name, data_type=types[each.dtype], dims=each.shape, raw_data=each.content)
        for name, each in zeros(tensors).items()
    ]
    template = file.with_suffix(".template.onnx")
    onnx.save(model_of(initializers), template)
    return template


def hdf5_template(weighbridge: Weighbridge, file: Path, tensors: Tensors) -> Path:
    template = file.with_suffix(".template.h5")
    empty = write_safetensors(file.with_suffix(".zeros.safetensors"), zeros(tensors))
    weighbridge.ok("convert", empty, "--to", "h5", "-o", template, "--force")
    return template


def keras_template(weighbridge: Weighbridge, file: Path, tensors: Tensors) -> Path:
    template = file.with_suffix(".template.keras")
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "model", "layers": []}}
    with zipfile.ZipFile(template, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(config))
        archive.write(hdf5_template(weighbridge, file, tensors), "model.weights.h5")
    return template


def any_name(name: str) -> bool:
    return True


def is_path(names: Iterable[str]) -> bool:
    """Whether HDF5 can have datasets of these names: no part is a group and a dataset."""
    known = set(names)
    parts = [name.split("/") for name in known]
    groups = {"/".join(each[:i]) for each in parts for i in range(1, len(each))}
    return not groups & known


def is_hdf5_name(name: str) -> bool:
    return "\0" not in name and not {"", ".", ".."} & set(name.split("/"))


@dataclass(frozen=True)
class Format:
    """What a format keeps, and how `convert` is called for it."""

    name: str
    to: str
    suffix: str
    dtypes: frozenset[str]
    keeps_name: Callable[[str], bool] = any_name
    options: tuple[str, ...] = ()
    template: Callable[[Weighbridge, Path, Tensors], Path] | None = None
    keeps: frozenset[str] = field(default_factory=frozenset)  # "metadata", "ties"

    def convert(
        self, weighbridge: Weighbridge, source: Path, target: Path, tensors: Tensors, *more: str
    ) -> tuple[int, str, str]:
        """Converts `source`, which has these tensors: exit status, standard output, standard error."""
        options = [*self.options, *more]
        if self.template is not None:
            options += ["--template", str(self.template(weighbridge, target, tensors))]
        done = weighbridge.run("convert", source, "-o", target, "--to", self.to, "--force", *options)
        return done.returncode, done.stdout, done.stderr


def is_npz_name(name: str) -> bool:
    return "\\" not in name and "\0" not in name


def is_gguf_name(name: str) -> bool:
    return len(name.encode()) < 64


SAFETENSORS = Format("safetensors", "safetensors", ".safetensors", EVERY, keeps=frozenset({"metadata", "ties"}))
PT = Format("pt", "pt", ".pt", EVERY - SIX_BITS, keeps=frozenset({"ties"}))
NPZ = Format("npz", "npz", ".npz", EVERY - SMALL_FLOATS, is_npz_name)
NPY = Format("npy", "npy", ".npy", EVERY - SMALL_FLOATS)
GGUF = Format(
    "gguf",
    "gguf",
    ".gguf",
    frozenset({"F16", "BF16", "F32", "F64", "I8", "I16", "I32", "I64"}),
    is_gguf_name,
    ("--kv", "general.architecture=str:chain"),
)
H5 = Format("h5", "h5", ".h5", HDF5, is_hdf5_name, keeps=frozenset({"ties"}))
H5_FILLED = Format("h5-filled", "h5", ".filled.h5", HDF5, is_hdf5_name, (), hdf5_template)
KERAS = Format("keras", "keras", ".keras", HDF5, is_hdf5_name, (), keras_template)
ONNX = Format("onnx", "onnx", ".onnx", EVERY, bool, (), onnx_template)
ONNX_EXTERNAL = Format(
    "onnx-external",
    "onnx",
    ".external.onnx",
    EVERY,
    bool,
    ("--external", "--inline-below", "0"),
    onnx_template,
)

# Those that hold any number of tensors under their names.
FORMATS = [SAFETENSORS, PT, NPZ, GGUF, H5, H5_FILLED, KERAS, ONNX, ONNX_EXTERNAL]
