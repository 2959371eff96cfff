"""huggingface_hub: its own sharding of state dicts, and the mixin that gives a model save_pretrained."""

from __future__ import annotations

from pathlib import Path

import torch
from huggingface_hub import PyTorchModelHubMixin, load_torch_model, save_torch_model
from torch import nn

from states import assert_same_model


class Net(nn.Module, PyTorchModelHubMixin):
    """Two layers, one embedding used twice."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.embedding = nn.Embedding(16, width)
        self.body = nn.Linear(width, width)
        self.head = nn.Linear(width, 16, bias=False)
        self.head.weight = self.embedding.weight


def test_a_model_comes_back_from_shards(tmp_path: Path) -> None:
    model, other = Net(), Net()
    save_torch_model(model, tmp_path, max_shard_size=256)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    missing, unexpected = load_torch_model(other, tmp_path, strict=False, safe=True)
    assert not unexpected
    assert set(missing) <= {"head.weight", "embedding.weight"}
    assert_same_model(other, model)


def test_the_mixin_saves_and_loads(tmp_path: Path) -> None:
    model = Net(width=4)
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    again = Net.from_pretrained(tmp_path)
    assert_same_model(again, model)
    assert torch.equal(again.head.weight, again.embedding.weight)
