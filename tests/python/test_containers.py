"""Checkpoints in the containers that other programs put around them, written by these programs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensors import assert_same, random_bits
from torch import nn, package

from cli import Weighbridge

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
}


def saved(state: object, **options: bool) -> bytes:
    stream = io.BytesIO()
    torch.save(state, stream, **options)
    return stream.getvalue()


def some_state(seed: int = 1) -> dict[str, torch.Tensor]:
    return {
        "weight": random_bits(torch.float32, 30, 40, seed=seed),
        "half": random_bits(torch.bfloat16, 7, seed=seed),
        "steps": random_bits(torch.int64, seed=seed),
    }


def format_of(weighbridge: Weighbridge, source: Path) -> str:
    name = weighbridge.json("info", source)["format"]
    assert isinstance(name, str)
    return name


def archive_of(members: dict[str, bytes], mode: str, tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=tar_format) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1234567890.5
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("codec", COMPRESSORS)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_compressed_file(weighbridge: Weighbridge, tmp_path: Path, codec: str, zipped: bool) -> None:
    source = tmp_path / "model.pt"
    source.write_bytes(COMPRESSORS[codec](saved(some_state(), _use_new_zipfile_serialization=zipped)))
    assert format_of(weighbridge, source) == f"{codec}, torch-{'zip' if zipped else 'legacy'}"
    assert_same(some_state(), load_file(weighbridge.convert(source)))


@pytest.mark.parametrize("codec", COMPRESSORS)
def test_a_compressed_pickle_of_tensors(weighbridge: Weighbridge, tmp_path: Path, codec: str) -> None:
    source = tmp_path / "model.pkl"
    source.write_bytes(COMPRESSORS[codec](pickle.dumps(some_state())))
    assert_same(some_state(), load_file(weighbridge.convert(source)))


def test_content_larger_than_what_is_kept_in_memory(weighbridge: Weighbridge, tmp_path: Path) -> None:
    state = {f"layer{i}": random_bits(torch.float32, 1000, 500, seed=i) for i in range(12)}
    source = tmp_path / "model.pt.gz"
    source.write_bytes(gzip.compress(saved(state), compresslevel=1))
    assert_same(state, load_file(weighbridge.convert(source)))


def test_a_compressed_file_whose_end_is_missing(weighbridge: Weighbridge, tmp_path: Path) -> None:
    for codec, compress in COMPRESSORS.items():
        source = tmp_path / codec
        source.write_bytes(compress(saved(some_state()))[:-5])
        done = weighbridge.run("convert", source, "-o", tmp_path / "out.safetensors")
        assert done.returncode == 1
        assert "cut off" in done.stderr
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_of_allennlp(weighbridge: Weighbridge, tmp_path: Path, mode: str, tar_format: int) -> None:
    members = {"config.json": b"{}", "weights.th": saved(some_state()), "vocabulary/tokens.txt": b"Is it\n"}
    source = tmp_path / "model.tar.gz"
    source.write_bytes(archive_of(members, mode, tar_format))
    assert format_of(weighbridge, source).endswith("tar, torch-zip")
    assert_same(some_state(), load_file(weighbridge.convert(source)))


def test_an_archive_of_several_checkpoints(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "models.tar"
    source.write_bytes(archive_of({"g.pth": saved(some_state(1)), "d.pth": saved(some_state(2))}, "w"))
    expected = {
        f"{file}.{name}": tensor for file, seed in (("g", 1), ("d", 2)) for name, tensor in some_state(seed).items()
    }
    assert_same(expected, load_file(weighbridge.convert(source)))
    assert_same(some_state(2), load_file(weighbridge.convert(source, "--key", "d")))


def test_links_in_an_archive(weighbridge: Weighbridge, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "weights.th").symlink_to("secret")
    source = tmp_path / "model.tar"
    with tarfile.open(source, "w") as archive:
        archive.add(tmp_path / "weights.th", "weights.th")
    done = weighbridge.run("info", source)
    assert done.returncode == 1
    assert "'weights.th' is a symbolic link" in done.stderr


def baselines(compression: int) -> bytes:
    stream = io.BytesIO()
    policy = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    torch.manual_seed(5)
    for parameter in policy.parameters():
        nn.init.normal_(parameter)
    optimizer = torch.optim.Adam(policy.parameters())
    policy(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("data", '{"policy_class": {":type:": "<class>", ":serialized:": "gASV"}}')
        archive.writestr("pytorch_variables.pth", saved(None))
        archive.writestr("policy.pth", saved(policy.state_dict()))
        archive.writestr("policy.optimizer.pth", saved(optimizer.state_dict()))
        archive.writestr("system_info.txt", "OS: Linux")
    return stream.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_of_stable_baselines3(weighbridge: Weighbridge, tmp_path: Path, compression: int) -> None:
    source = tmp_path / "ppo.zip"
    source.write_bytes(baselines(compression))
    with zipfile.ZipFile(source) as archive:
        policy = torch.load(io.BytesIO(archive.read("policy.pth")))
        optimizer = torch.load(io.BytesIO(archive.read("policy.optimizer.pth")))
    assert_same(policy, load_file(weighbridge.convert(source)))
    state = load_file(weighbridge.convert(source, "--key", "policy.optimizer"))
    expected = {f"state.{i}.{key}": value for i, slots in optimizer["state"].items() for key, value in slots.items()}
    assert_same(expected, state)


class Net(nn.Module):
    """Parameters, a buffer, and tensors that are constants of the code."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        self.register_buffer("mask", torch.ones(4).bool())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) * self.mask + torch.tensor([1.0, 2.0, 3.0, 4.0])


def traced() -> torch.jit.ScriptModule:
    return torch.jit.trace(Net().eval(), torch.ones(2, 3))


def scripted() -> torch.jit.ScriptModule:
    return torch.jit.script(Net())


class Attributed(nn.Module):
    """Attributes of every kind that a script may have."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.count = 3
        self.pair = torch.jit.Attribute((7, torch.arange(3.0)), tuple[int, torch.Tensor])
        self.names = torch.jit.Attribute(["a", "b"], list[str])
        self.table = torch.jit.Attribute({"x": torch.arange(4.0)}, dict[str, torch.Tensor])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) + self.table["x"].sum() + self.pair[1].sum() + self.count + len(self.names)


@pytest.mark.parametrize("make", [traced, scripted])
@pytest.mark.filterwarnings("ignore")
def test_torchscript(weighbridge: Weighbridge, tmp_path: Path, make: Callable[[], torch.jit.ScriptModule]) -> None:
    module = make()
    source = tmp_path / "model.pt"
    torch.jit.save(module, str(source))
    assert format_of(weighbridge, source) == "torchscript"
    assert_same(module.state_dict(), load_file(weighbridge.convert(source, "--shared", "copy")))


@pytest.mark.filterwarnings("ignore")
def test_the_constants_of_torchscript(weighbridge: Weighbridge, tmp_path: Path) -> None:
    module = traced()
    source = tmp_path / "model.pt"
    torch.jit.save(module, str(source))
    tensors = load_file(weighbridge.convert(source, "--shared", "copy", "--constants"))
    constants = {name: tensor for name, tensor in tensors.items() if name.startswith("CONSTANTS.c")}
    assert any(torch.equal(tensor, torch.tensor([1.0, 2.0, 3.0, 4.0])) for tensor in constants.values())
    assert tensors.keys() == module.state_dict().keys() | constants.keys()


@pytest.mark.filterwarnings("ignore")
def test_the_attributes_of_torchscript(weighbridge: Weighbridge, tmp_path: Path) -> None:
    module = torch.jit.script(Attributed())
    source = tmp_path / "model.pt"
    torch.jit.save(module, str(source))
    expected = module.state_dict() | {"pair.1": torch.arange(3.0), "table.x": torch.arange(4.0)}
    assert_same(expected, load_file(weighbridge.convert(source)))


@pytest.mark.filterwarnings("ignore")
def test_torchscript_for_mobile(weighbridge: Weighbridge, tmp_path: Path) -> None:
    module = traced()
    source = tmp_path / "model.ptl"
    module._save_for_lite_interpreter(str(source))
    assert format_of(weighbridge, source) == "torchscript-mobile"
    assert_same(module.state_dict(), load_file(weighbridge.convert(source, "--shared", "copy")))
    assert any("CONSTANTS.c" in name for name in load_file(weighbridge.convert(source, "--constants")))


def test_a_torch_package(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "package.pt"
    model, weights = nn.Linear(3, 2), some_state()
    with package.PackageExporter(str(source)) as exporter:
        exporter.extern("**")
        exporter.save_pickle("res", "model.pkl", model)
        exporter.save_pickle("res.more", "weights.pkl", weights)
        exporter.save_text("res", "notes.txt", "no checkpoint")
    assert format_of(weighbridge, source) == "torch-package"
    expected = {f"res.model.{name}": tensor for name, tensor in model.state_dict().items()}
    expected |= {f"res.more.weights.{name}": tensor for name, tensor in weights.items()}
    assert_same(expected, load_file(weighbridge.convert(source)))
    assert_same(weights, load_file(weighbridge.convert(source, "--key", "res.more.weights")))


@pytest.mark.filterwarnings("ignore")
def test_a_script_module_in_a_torch_package(
    weighbridge: Weighbridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package.package_exporter, "_gate_torchscript_serialization", False)
    source = tmp_path / "package.pt"
    module = scripted()
    with package.PackageExporter(str(source)) as exporter:
        exporter.extern("**")
        exporter.save_pickle("res", "script.pkl", module)
    tensors = load_file(weighbridge.convert(source, "--shared", "copy", "--key", "ts_code.0"))
    assert_same(module.state_dict(), tensors)


@pytest.mark.filterwarnings("ignore")
def test_exported_programs_are_named(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.ones(1, 2),)), str(source))
    done = weighbridge.run("info", source)
    assert done.returncode == 1
    assert "PT2 export archives" in done.stderr
