"""Real torch writes every kind of file that it can; the tensors in it come over as the same bits."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, load_model
from tensors import assert_same, random_bits
from torch import nn

from cli import Weighbridge


class TiedModel(nn.Module):
    """Parameters, buffers, children, a weight under two names, and a buffer that is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(12, 8)
        self.body = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.head = nn.Linear(8, 12, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("mask", torch.ones(4, 4).tril().bool())
        self.register_buffer("scratch", torch.zeros(3), persistent=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(self.embedding(tokens)))


MODELS = {
    "linear": lambda: nn.Linear(4, 3),
    "convolutions": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ConvTranspose2d(4, 2, 2)),
    "lstm": lambda: nn.LSTM(4, 6, num_layers=2, bidirectional=True),
    "transformer": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
    "half": lambda: nn.Linear(4, 3).to(torch.bfloat16),
    "channels last": lambda: nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_models_state_dict(weighbridge: Weighbridge, tmp_path: Path, make: object, zipped: bool) -> None:
    assert callable(make)
    model = make()
    source = tmp_path / "model.pt"
    torch.save(model.state_dict(), source, _use_new_zipfile_serialization=zipped)
    assert_same(model.state_dict(), load_file(weighbridge.convert(source, "--shared", "copy")))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_every_protocol_of_torch_save(weighbridge: Weighbridge, tmp_path: Path, protocol: int, zipped: bool) -> None:
    state = {"weight": random_bits(torch.float32, 3, 4), "steps": random_bits(torch.int64)}
    source = tmp_path / "model.pt"
    torch.save(state, source, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    assert_same(state, load_file(weighbridge.convert(source)))


def test_legacy_storage_views_share_their_storage(weighbridge: Weighbridge, tmp_path: Path) -> None:
    whole = random_bits(torch.float32, 10, 4)
    state = {"whole": whole, "tail": whole[6:], "turned": whole.t(), "same": whole}
    source = tmp_path / "model.pt"
    torch.save(state, source, _use_new_zipfile_serialization=False)
    assert_same(state, load_file(weighbridge.convert(source, "--shared", "copy")))


@pytest.mark.parametrize("protocol", range(6))
def test_tensors_in_a_plain_pickle(weighbridge: Weighbridge, tmp_path: Path, protocol: int) -> None:
    state = {"weight": random_bits(torch.float16, 3, 4), "bias": random_bits(torch.float32, 3)}
    source = tmp_path / "model.pkl"
    source.write_bytes(pickle.dumps(state, protocol))
    assert_same(state, load_file(weighbridge.convert(source)))


def lightning(model: nn.Module) -> dict[str, object]:
    """A checkpoint as a Lightning trainer writes it."""
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randint(12, (4,))).sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "global_step": 1200,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {f"net.{name}": tensor for name, tensor in model.state_dict().items()},
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 4}}}},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.25), "best_model_path": "best.ckpt"}},
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [],
        "hyper_parameters": {"lr": 1e-3, "betas": (0.9, 0.999), "name": None},
    }


def test_the_state_dict_of_a_training_checkpoint_is_found(weighbridge: Weighbridge, tmp_path: Path) -> None:
    checkpoint = lightning(TiedModel())
    source = tmp_path / "last.ckpt"
    torch.save(checkpoint, source)
    state = checkpoint["state_dict"]
    assert isinstance(state, dict)
    assert_same(state, load_file(weighbridge.convert(source, "--shared", "copy")))


def test_every_tensor_of_a_training_checkpoint_on_request(weighbridge: Weighbridge, tmp_path: Path) -> None:
    checkpoint = lightning(TiedModel())
    source = tmp_path / "last.ckpt"
    torch.save(checkpoint, source)

    expected: dict[str, torch.Tensor] = {}

    def walk(path: str, node: object) -> None:
        children: list[tuple[object, object]] = []
        if isinstance(node, torch.Tensor):
            expected[path] = node
        elif isinstance(node, dict):
            children = list(node.items())
        elif isinstance(node, (list, tuple)):
            children = list(enumerate(node))
        for key, child in children:
            walk(f"{path}.{key}" if path else str(key), child)

    walk("", checkpoint)
    assert_same(expected, load_file(weighbridge.convert(source, "--key", ".", "--shared", "copy")))


def test_the_wheel_loads_our_file_into_a_tied_model(weighbridge: Weighbridge, tmp_path: Path) -> None:
    model = TiedModel()
    source = tmp_path / "model.pt"
    torch.save(model.state_dict(), source)
    fresh = TiedModel()
    missing, unexpected = load_model(fresh, weighbridge.convert(source))
    assert not missing
    assert not unexpected
    assert_same(model.state_dict(), fresh.state_dict())


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_whole_module_gives_its_state_dict(weighbridge: Weighbridge, tmp_path: Path, zipped: bool) -> None:
    model = TiedModel()
    source = tmp_path / "module.pt"
    torch.save(model, source, _use_new_zipfile_serialization=zipped)
    assert_same(model.state_dict(), load_file(weighbridge.convert(source, "--shared", "copy")))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("how", ["script", "trace"])
def test_a_torchscript_archive_gives_its_state_dict(weighbridge: Weighbridge, tmp_path: Path, how: str) -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).eval()
    module = torch.jit.script(model) if how == "script" else torch.jit.trace(model, torch.zeros(2, 4))
    source = tmp_path / "script.pt"
    torch.jit.save(module, source)
    assert_same(model.state_dict(), load_file(weighbridge.convert(source, "--shared", "copy")))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_frozen_module_has_its_weights_in_the_constants(weighbridge: Weighbridge, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(4, 3)).eval()
    source = tmp_path / "frozen.pt"
    torch.jit.save(torch.jit.freeze(torch.jit.script(model)), source)
    done = weighbridge.run("convert", source)
    assert done.returncode == 1
    assert "constants in 2 storages" in done.stderr
    constants = load_file(weighbridge.convert(source, "--constants"))
    assert_same({"CONSTANTS.c0": model[0].weight.detach(), "CONSTANTS.c1": model[0].bias.detach()}, constants)


def as_big_endian(little: bytes, item_bytes: int) -> bytes:
    """The same checkpoint as a big-endian machine writes it; all storages of one element size."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(little)) as source, zipfile.ZipFile(output, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("/byteorder"):
                content = b"big"
            elif "/data/" in entry.filename:
                content = np.frombuffer(content, f"V{item_bytes}").view(f"u{item_bytes}").byteswap().tobytes()
            target.writestr(entry.filename, content)
    return output.getvalue()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.int64], ids=str)
def test_a_big_endian_checkpoint(weighbridge: Weighbridge, tmp_path: Path, dtype: torch.dtype) -> None:
    saved = io.BytesIO()
    torch.save({"weight": random_bits(dtype, 3, 4), "turned": random_bits(dtype, 4, 5).t()}, saved)
    source = tmp_path / "big.pt"
    source.write_bytes(as_big_endian(saved.getvalue(), dtype.itemsize))
    assert_same(torch.load(source), load_file(weighbridge.convert(source)))


def test_a_deflated_archive(weighbridge: Weighbridge, tmp_path: Path) -> None:
    saved = io.BytesIO()
    torch.save({"weight": torch.arange(4096.0), "mask": torch.ones(64, dtype=torch.bool)}, saved)
    source = tmp_path / "deflated.pt"
    with zipfile.ZipFile(saved) as stored, zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as deflated:
        for entry in stored.infolist():
            deflated.writestr(entry.filename, stored.read(entry))
    assert_same(torch.load(source), load_file(weighbridge.convert(source)))
