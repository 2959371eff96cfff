#!/usr/bin/env python3
"""Writes the small input files of the command-line tests into a folder. Standard library only.

The torch files have what torch.save writes, byte for byte where it matters: the pickle is spelled
out by a Pickler that refers to torch's constructors by name, so that torch itself is not needed.
"""

from __future__ import annotations

import collections
import io
import json
import pathlib
import pickle
import struct
import sys
import zipfile


def safetensors(tensors: dict[str, tuple[str, list[int], bytes]], metadata: dict[str, str] | None = None) -> bytes:
    """A valid file of {name: (dtype, shape, bytes)}, in the order given."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    return with_header(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode(), data)


def with_header(text: bytes, data: bytes = b"") -> bytes:
    """A file whose header is any text at all, padded to 8 bytes."""
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


class Named:
    """Stands for a global of torch in a pickle; never called."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Storage:
    def __init__(self, kind: str, key: str, raw: bytes, width: int) -> None:
        self.kind, self.key, self.raw, self.width = kind, key, raw, width


class Tensor:
    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.storage, self.view = storage, (offset, shape, strides)


class TorchPickler(pickle._Pickler):
    """Protocol 2, as torch.save: storages are persistent ids, tensors are rebuilt from them."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, 2)

    def persistent_id(self, value: object) -> tuple[object, ...] | None:
        if not isinstance(value, Storage):
            return None
        elements = len(value.raw) // value.width
        return ("storage", Named("torch", value.kind), value.key, "cpu", elements)

    def save(self, value: object, save_persistent_id: bool = True) -> None:
        if isinstance(value, Named):
            self.write(b"c" + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Tensor):
            hooks = collections.OrderedDict()
            self.save(Named("torch._utils", "_rebuild_tensor_v2"))
            self.save((value.storage, *value.view, False, hooks))
            self.write(pickle.REDUCE)
        else:
            super().save(value, save_persistent_id)


def torch_zip(root: object, storages: list[Storage], pickled: bytes | None = None) -> bytes:
    stream = io.BytesIO()
    TorchPickler(stream).dump(root)
    entries = {"data.pkl": pickled or stream.getvalue(), "byteorder": b"little"}
    entries |= {f"data/{storage.key}": storage.raw for storage in storages}
    entries["version"] = b"3\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for entry, content in entries.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{entry}"), content)
    return out.getvalue()


def training_checkpoint() -> bytes:
    """Weights with a tied pair and a transposed view, and what a training loop keeps beside them."""
    embed = Storage("FloatStorage", "0", floats(*range(8)), 4)
    steps = Storage("LongStorage", "1", struct.pack("<q", 12), 8)
    weights = collections.OrderedDict(
        [
            ("embed.weight", Tensor(embed, 0, (4, 2), (2, 1))),
            ("head.weight", Tensor(embed, 0, (4, 2), (2, 1))),
            ("turned", Tensor(embed, 0, (2, 4), (1, 2))),
            ("steps", Tensor(steps, 0, (), ())),
        ]
    )
    root = {"state_dict": weights, "epoch": 3, "lr": 0.5, "tags": ["a", "b"]}
    return torch_zip(root, [embed, steps])


def optimizer_checkpoint() -> bytes:
    """A weight, the optimizer's state for it, and an object of a class that only its program knows."""
    weight = Storage("FloatStorage", "0", floats(1, 2), 4)
    moment = Storage("FloatStorage", "1", floats(3, 4), 4)
    state = {0: {"step": 7, "exp_avg": Tensor(moment, 0, (2,), (1,))}}
    optimizer = {"state": state, "param_groups": [{"lr": 0.5, "betas": (0.9, 0.999), "params": [0]}]}
    return torch_zip({"model": {"w": Tensor(weight, 0, (2,), (1,))}, "optimizer": optimizer}, [weight, moment])


def object_checkpoint() -> bytes:
    storage = Storage("FloatStorage", "0", floats(1, 2), 4)
    return torch_zip(None, [storage], pickled=dangerous_pickle(b"cargparse\nNamespace\n)\x81"))


def shard(name: str, *values: float) -> bytes:
    storage = Storage("FloatStorage", "0", floats(*values), 4)
    return torch_zip({name: Tensor(storage, 0, (len(values),), (1,))}, [storage])


def shard_index(first: str, second: str) -> bytes:
    return json.dumps({"metadata": {"total_size": 20}, "weight_map": {"a": first, "b": second}}).encode()


def dangerous_pickle(call: bytes) -> bytes:
    """{'w': tensor, 'x': <call>}: a loader of pickles would run the call; written byte by byte."""
    weights = io.BytesIO()
    TorchPickler(weights).dump({"w": Tensor(Storage("FloatStorage", "0", floats(1, 2), 4), 0, (2,), (1,))})
    return weights.getvalue()[:-1] + b"X\x01\x00\x00\x00x" + call + b"s."


def dangerous_checkpoint() -> bytes:
    storage = Storage("FloatStorage", "0", floats(1, 2), 4)
    call = b"cos\nsystem\nX\x04\x00\x00\x00true\x85R"
    return torch_zip(None, [storage], pickled=dangerous_pickle(call))


def nested_archive() -> bytes:
    """A dangerous checkpoint in an archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("policy\x1b.pth"), dangerous_checkpoint())
    return out.getvalue()


def broken_header() -> bytes:
    """Two tensors of which one is too short and one has an unknown field."""
    return with_header(
        b'{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,12]},'
        b'"b":{"dtype":"I8","shape":[4],"data_offsets":[12,16],"note":"x"}}',
        bytes(16),
    )


FILES = {
    "model.safetensors": lambda: safetensors(
        {
            "layers.0.weight": ("F32", [2, 3], floats(0, 1, 2, 3, 4, 5)),
            "layers.0.bias": ("F32", [2], floats(6, 7)),
            "layers.1.weight": ("BF16", [2, 2], bytes(range(8))),
            "count": ("I64", [], struct.pack("<q", 7)),
        },
        {"format": "pt", "note": "made by hand"},
    ),
    "empty.safetensors": lambda: with_header(b"{}"),
    "escapes.safetensors": lambda: safetensors(
        {
            "\x1b[31mred\x1b[0m": ("U8", [1], b"\x01"),
            "new\nline": ("U8", [1], b"\x02"),
            "caf\u00e9": ("U8", [1], b"\x03"),
        },
        {"\x1b]0;title\x07": "\x9b2J"},
    ),
    "broken.safetensors": broken_header,
    "padded.safetensors": lambda: with_header(b" {}     "),
    "warned.safetensors": lambda: with_header(
        b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"note":"x"}}', bytes(4)
    ),
    "training.pt": training_checkpoint,
    "dangerous.pt": dangerous_checkpoint,
    "optimizer.pt": optimizer_checkpoint,
    "object.pt": object_checkpoint,
    "part-1.bin": lambda: shard("a", 1, 2),
    "part-2.bin": lambda: shard("b", 3, 4, 5),
    "pytorch_model.bin.index.json": lambda: shard_index("part-1.bin", "part-2.bin"),
    "outside.bin.index.json": lambda: shard_index("part-1.bin", "../part-2.bin"),
    "missing.bin.index.json": lambda: shard_index("part-1.bin", "part-3.bin"),
    "numbers.pt": lambda: torch_zip({"epoch": 3, "lr": 0.5}, []),
    "noise.bin": lambda: b"\x00\x01\x02 this is no model\n" * 4,
    "models/.hidden.pkl": lambda: b"\x80\x02cmine\nNet\x1b[1m\n)R.",
    "models/cut.pkl": lambda: b"\x80\x02]",
    "models/inner.zip": nested_archive,
    "models/model.safetensors": lambda: safetensors({"w": ("U8", [2], b"ab")}),
    "models/notes.txt": lambda: b"# Notes\n",
    "--help": lambda: safetensors({"w": ("U8", [2], b"ab")}),
}


def write_files(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(make())


if __name__ == "__main__":
    write_files(pathlib.Path(sys.argv[1]))
