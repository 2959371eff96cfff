#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets torch_checkpoint and legacy_stream with a real torch.

python3 tools/make_torch_corpus.py fuzz/corpus
"""

import collections
import io
import json
import pathlib
import pickle
import sys
import zipfile

import torch

LEGACY_MAGIC_BYTES = 15


def saved(value, **options) -> bytes:
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def legacy(value) -> bytes:
    return saved(value, _use_new_zipfile_serialization=False)


def repacked(archive: bytes, method: int) -> bytes:
    """The same entries packed anew, without records of where the program stood."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(out, "w", method) as target:
        for name in source.namelist():
            if not name.endswith(".debug_pkl"):
                target.writestr(zipfile.ZipInfo(name), source.read(name), method)
    return out.getvalue()


def scripted() -> bytes:
    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = torch.nn.Parameter(torch.ones(2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.w

    out = io.BytesIO()
    torch.jit.save(torch.jit.script(Model()), out)
    return repacked(out.getvalue(), zipfile.ZIP_STORED)


class Reference:
    """A tensor in an attribute of TorchScript 1.2, as its pickles have it."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple:
        return Reference, (self.number,)


def renamed(content: bytes) -> bytes:
    """The references by the name that torch has for them."""
    return content.replace(b"c__main__\nReference\n", b"ctorch.jit._pickle\nbuild_tensor_from_id\n")


def old_script() -> bytes:
    """What torch 1.2 wrote, as far as it is read."""
    tensor = {"dims": ["2"], "offset": "0", "strides": ["1"], "dataType": "FLOAT", "data": {"key": "tensors/0"}}
    layer = {"name": "fc", "parameters": [{"isBuffer": False, "tensorId": "0", "name": "weight"}]}
    attributes = [{"type": "int", "name": "n", "id": "0"}, {"type": "List[Tensor]", "name": "t", "id": "1"}]
    model = {"protoVersion": "2", "mainModule": {"name": "M", "submodules": [layer], "attributes": attributes}}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, content in {
            "version": b"1\n",
            "model.json": json.dumps({**model, "tensors": [tensor, {**tensor, "offset": "1", "dims": ["1"]}]}).encode(),
            "attributes.pkl": renamed(pickle.dumps([3, [Reference(0), Reference(1)]], 2)),
            "tensors/0": bytes(8),
        }.items():
            target.writestr(zipfile.ZipInfo(f"m/{name}"), content)
    return out.getvalue()


class FromDevice:
    """A tensor of a device without storages, as older versions of torch saved it."""

    def __reduce__(self) -> tuple:
        array = torch.arange(4.0).view(2, 2).t().numpy()
        return torch._utils._rebuild_device_tensor_from_numpy, (array, torch.bfloat16, "cpu", False)


def packed_module() -> torch.nn.Module:
    module = torch.ao.nn.quantized.Linear(3, 2)
    module.set_weight_bias(torch.quantize_per_tensor(torch.ones(2, 3), 0.5, 1, torch.qint8), torch.ones(2))
    return module


def values() -> dict:
    base = torch.arange(6.0).view(2, 3)
    return {
        "state_dict": collections.OrderedDict(w=base, b=torch.ones(2, dtype=torch.bfloat16)),
        "views": {"base": base, "t": base.t(), "row": base[1], "expand": torch.ones(1, 3).expand(4, 3)},
        "module": torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1)),
        "training": {
            "state_dict": {"w": base},
            "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
            "hyper_parameters": {"lr": 1e-3, "name": "x", "shape": torch.Size([1, 2]), "device": torch.device("cpu")},
        },
        "unsigned": {"w": torch.arange(4, dtype=torch.int32).to(torch.uint16)},
        "storage": torch.arange(4.0).untyped_storage(),
    }


class Wrapper(torch.Tensor):
    """A subclass that wraps two tensors."""

    @staticmethod
    def __new__(cls, raw: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return torch.Tensor._make_wrapper_subclass(cls, raw.shape, dtype=scale.dtype)

    def __init__(self, raw: torch.Tensor, scale: torch.Tensor) -> None:
        self.raw = raw
        self.scale = scale

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None) -> object:
        raise NotImplementedError(function)


def special() -> dict:
    """One tensor of each kind that is more than a view of a storage."""
    matrix = torch.eye(4)[:, :2]
    numbers = torch.tensor([1 + 2j, 3 - 4j])
    layouts = {"csr": {}, "csc": {}, "bsr": {"blocksize": (2, 1)}, "bsc": {"blocksize": (2, 1)}}
    ones = torch.ones(2, 3)
    compressed = {
        name: matrix.to_sparse(layout=getattr(torch, f"sparse_{name}"), **more) for name, more in layouts.items()
    }
    channels = (torch.tensor([0.1, 0.2]), torch.tensor([0.0, 1.0]), 0)
    rows = [torch.ones(2, 2), torch.zeros(1, 2)]
    return {
        "coo": {"w": torch.sparse_coo_tensor([[0, 2, 0]], [[1.0, 2.0]] * 3, (3, 2))},
        **compressed,
        "quantized": {
            "tensor": torch.quantize_per_tensor(ones, 0.5, 3, torch.quint8),
            "channel": torch.quantize_per_channel(ones, channels[0].double(), channels[1].long(), 0, torch.qint8),
            "packed": torch.quantize_per_channel(ones, *channels, torch.quint4x2),
        },
        "signs": {
            "conj": numbers.conj(),
            "neg": numbers.clone().conj().imag,
            "half": numbers.to(torch.complex32),
            "meta": torch.empty(1, device="meta"),
        },
        "nested": torch.nested.nested_tensor(rows),
        "jagged": torch.nested.nested_tensor(rows, layout=torch.jagged),
        "device": {"w": FromDevice()},
        "packed": packed_module(),
        "wrapper": {"w": Wrapper(torch.ones(2, dtype=torch.int8), torch.ones(1))},
    }


def write(folder: pathlib.Path, seeds: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)


def main() -> None:
    corpus = pathlib.Path(sys.argv[1])
    whole = {f"zip_{name}": saved(value) for name, value in values().items()}
    whole["zip_deflated"] = repacked(whole["zip_state_dict"], zipfile.ZIP_DEFLATED)
    whole["torchscript"] = scripted()
    whole["torchscript_json"] = old_script()
    # A whole module in a legacy stream would carry the source text of its classes.
    names = [name for name in values() if name not in ("unsigned", "module")]
    streams = {f"legacy_{name}": legacy(values()[name]) for name in names}
    raw = {f"raw_p{protocol}": pickle.dumps({"w": torch.ones(2)}, protocol) for protocol in (2, 4)}
    kinds = {f"special_{name}": saved(value) for name, value in special().items()}
    write(corpus / "torch_checkpoint", {**whole, **streams, **raw, **kinds})
    write(corpus / "legacy_stream", {name: content[LEGACY_MAGIC_BYTES:] for name, content in streams.items()})


if __name__ == "__main__":
    main()
