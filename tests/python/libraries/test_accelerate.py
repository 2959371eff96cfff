"""accelerate: checkpoints of training runs, and models larger than the memory they get."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator, cpu_offload, disk_offload, init_empty_weights, load_checkpoint_and_dispatch
from accelerate.utils import load_checkpoint_in_model, load_state_dict, offload_state_dict
from accelerate.utils.offload import OffloadedWeightsLoader
from safetensors.torch import save_file
from torch import nn

from states import assert_same_model, assert_same_tensors


class Tower(nn.Module):
    """Four layers, and a buffer."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        self.norm = nn.BatchNorm1d(width)
        self.last = nn.Linear(width, 4)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.last(self.norm(self.second(self.first(values).relu()).relu()))


DISK = {"first": "cpu", "second": "disk", "norm": "cpu", "last": "disk"}


def save_sharded(model: nn.Module, folder: Path) -> None:
    Accelerator(cpu=True).save_model(model, folder, max_shard_size="2KB")
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    assert len(set(index["weight_map"].values())) > 1


def empty_tower() -> Tower:
    with init_empty_weights():
        return Tower()


def outputs(model: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.arange(48, dtype=torch.float32).reshape(3, 16) / 48)


@pytest.mark.parametrize("device_map", [{"": "cpu"}, DISK, "auto"], ids=["cpu", "disk", "auto"])
def test_a_model_is_loaded_and_dispatched_from_shards(device_map: object, tmp_path: Path) -> None:
    model = Tower().eval()
    save_sharded(model, tmp_path)
    loaded = load_checkpoint_and_dispatch(
        empty_tower(), tmp_path, device_map=device_map, offload_folder=tmp_path / "offload"
    )
    assert torch.equal(outputs(loaded.eval()), outputs(model))


@pytest.mark.parametrize("offload_state", [False, True])
def test_weights_go_from_one_file_to_the_offload_folder(offload_state: bool, tmp_path: Path) -> None:
    model = Tower().eval()
    file = tmp_path / "model.safetensors"
    save_file(model.state_dict(), file, metadata={"format": "pt"})
    loaded = load_checkpoint_and_dispatch(
        empty_tower(), str(file), device_map=DISK, offload_folder=tmp_path / "offload", offload_state_dict=offload_state
    )
    assert torch.equal(outputs(loaded.eval()), outputs(model))


def test_weights_are_read_one_at_a_time_from_the_file(tmp_path: Path) -> None:
    model = Tower()
    file = tmp_path / "model.safetensors"
    save_file(model.state_dict(), file, metadata={"format": "pt"})
    index = {name: {"safetensors_file": str(file), "weight_name": name} for name in model.state_dict()}
    assert_same_tensors(dict(OffloadedWeightsLoader(index=index)), model.state_dict())


@pytest.mark.parametrize("device_map", [None, {"": "cpu"}, {"first": "cpu", "": "cpu"}], ids=str)
def test_a_state_dict_is_loaded_by_device_map(device_map: dict[str, str] | None, tmp_path: Path) -> None:
    model = Tower()
    file = tmp_path / "model.safetensors"
    save_file(model.state_dict(), file, metadata={"format": "pt"})
    assert_same_tensors(load_state_dict(str(file), device_map=device_map), model.state_dict())


def test_a_checkpoint_goes_into_a_model_that_stands(tmp_path: Path) -> None:
    model, other = Tower(), Tower()
    save_sharded(model, tmp_path)
    load_checkpoint_in_model(other, tmp_path)
    assert_same_model(other, model)


@pytest.mark.parametrize("offload", [cpu_offload, disk_offload])
def test_a_model_is_offloaded_after_loading(offload: object, tmp_path: Path) -> None:
    model, other = Tower().eval(), Tower().eval()
    save_sharded(model, tmp_path)
    load_checkpoint_in_model(other, tmp_path)
    if offload is disk_offload:
        disk_offload(other, tmp_path / "offload", execution_device=torch.device("cpu"))
    else:
        cpu_offload(other, execution_device=torch.device("cpu"))
    assert torch.equal(outputs(other), outputs(model))


def test_offloaded_states_are_read_back(tmp_path: Path) -> None:
    state = Tower().state_dict()
    offload_state_dict(tmp_path, state)
    assert_same_tensors(dict(OffloadedWeightsLoader(save_folder=tmp_path)), state)


def test_a_training_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    accelerator = Accelerator(cpu=True)
    model = Tower()
    model, optimizer = accelerator.prepare(model, torch.optim.AdamW(model.parameters()))
    train_step(accelerator, model, optimizer)
    accelerator.save_state(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()

    train_step(accelerator, model, optimizer)
    wanted = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    accelerator.load_state(tmp_path)
    train_step(accelerator, model, optimizer)
    assert_same_tensors(model.state_dict(), wanted)


def train_step(accelerator: Accelerator, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    model.train()
    optimizer.zero_grad()
    accelerator.backward(model(torch.arange(48, dtype=torch.float32).reshape(3, 16)).square().mean())
    optimizer.step()


def test_tied_weights_are_saved_once(tmp_path: Path) -> None:
    model = Tower()
    model.second.weight = model.first.weight
    Accelerator(cpu=True).save_model(model, tmp_path)
    other = Tower()
    other.second.weight = other.first.weight
    load_checkpoint_in_model(other, tmp_path)
    assert_same_model(other, model)
