"""Saving torch tensors: what is shown is what is saved; shared memory is found and treated as asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch as reference
import torch
import weighbridge.torch as ours
from weighbridge import SafetensorError, _save_torch

BASE = torch.arange(24, dtype=torch.float32).reshape(4, 6)
COMPLEX = torch.tensor([[1 + 2j, 3 - 4j], [5j, -6]], dtype=torch.complex64)
VIEWS = {
    "contiguous": BASE,
    "transposed": BASE.t(),
    "strided": BASE[::2, 1::3],
    "expanded": BASE[0].expand(3, 6),
    "scalar": torch.tensor(2.5, dtype=torch.float64),
    "empty": torch.zeros(0, 3, dtype=torch.int16),
    "flipped": BASE.flip(0),
    "conjugated": COMPLEX.conj(),
    "conjugated and transposed": COMPLEX.t().conj(),
    "negated": COMPLEX.conj().imag,
    "needs gradient": BASE.clone().requires_grad_(),
    "parameter": torch.nn.Parameter(BASE.clone()),
    "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
}
DTYPES = [*_save_torch.CODES]


@pytest.mark.parametrize("name", VIEWS)
def test_tensors_are_saved_as_what_they_show(name: str) -> None:
    shown = VIEWS[name].detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
    assert ours.save({name: VIEWS[name]}) == reference.save({name: shown})


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_gives_the_file_of_the_reference(dtype: torch.dtype) -> None:
    raw = torch.arange(64, dtype=torch.uint8).reshape(4, 16)
    tensor = (raw > 9) if dtype is torch.bool else raw.view(dtype)
    data = ours.save({"x": tensor}, metadata={"format": "pt"})
    assert data == reference.save({"x": tensor}, {"format": "pt"})
    strided = tensor.t()
    assert ours.save({"x": strided}) == reference.save({"x": strided.contiguous()})


def test_what_is_no_dense_tensor_is_a_type_error() -> None:
    for value in ([1.0], BASE.numpy(), None, BASE.to_sparse()):
        with pytest.raises(TypeError, match="'x'"):
            ours.save({"x": value})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="named by str"):
        ours.save({1: BASE})  # type: ignore[dict-item]


def test_dtypes_that_the_format_has_not_are_named() -> None:
    with pytest.raises(SafetensorError, match=r"no dtype for torch\.complex128"):
        ours.save({"x": torch.zeros(2, dtype=torch.complex128)})


def test_tensors_without_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="meta tensor"):
        ours.save({"x": torch.zeros(2, device="meta")})
    with pytest.raises(NotImplementedError, match="meta tensor"):
        ours.save_file({"x": torch.zeros(2, device="meta")}, tmp_path / "x")
    assert not list(tmp_path.iterdir())
    freed = torch.zeros(10)
    freed.untyped_storage().resize_(0)
    with pytest.raises(SafetensorError, match="'x' has no memory"):
        ours.save({"x": freed})


def test_other_devices_come_over_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU stands in for the other device: the path is chosen by what ``is_cpu`` says."""
    tensors = {"a": BASE, "b": BASE.t().clone(memory_format=torch.contiguous_format), "e": torch.zeros(0)}
    expected = ours.save(tensors, metadata={"k": "v"})
    monkeypatch.setattr(torch.Tensor, "is_cpu", False)
    ours.save_file(tensors, tmp_path / "x", metadata={"k": "v"}, durable="data")
    assert (tmp_path / "x").read_bytes() == expected


def test_shared_memory_is_refused_by_default() -> None:
    with pytest.raises(SafetensorError, match=r"\{a, b\}") as caught:
        ours.save({"a": BASE, "b": BASE, "c": BASE.clone()})
    assert caught.value.code == "SharedTensors"
    with pytest.raises(SafetensorError):
        ours.save({"a": BASE[:3], "b": BASE[2:]})
    ours.save({"a": BASE[:2], "b": BASE[2:]})


def test_a_tensor_inside_another_is_found_behind_a_smaller_one() -> None:
    flat = torch.arange(100)
    with pytest.raises(SafetensorError, match=r"\{whole, x, y\}"):
        ours.save({"whole": flat, "x": flat[10:20], "y": flat[30:40]})


def test_strided_tensors_that_interleave_are_found() -> None:
    with pytest.raises(SafetensorError):
        ours.save({"a": BASE[:, ::2], "b": BASE[:, 1::2]})


def test_dedupe_saves_equal_tensors_once_and_says_so() -> None:
    metadata = {"format": "pt"}
    tensors = {"b": BASE, "a": BASE, "part": BASE[1:3], "t": BASE.t()}
    data = ours.save(tensors, metadata=metadata, shared="dedupe")
    expected = {"a": BASE.clone(), "part": BASE[1:3].clone(), "t": BASE.t().contiguous()}
    assert data == ours.save(expected, metadata={"b": "a", "format": "pt"})
    assert metadata == {"format": "pt"}
    assert list(tensors) == ["b", "a", "part", "t"]


def test_dedupe_tells_a_tensor_from_its_conjugate() -> None:
    data = ours.save({"a": COMPLEX, "b": COMPLEX.conj()}, shared="dedupe")
    assert data == ours.save({"a": COMPLEX, "b": COMPLEX.conj().resolve_conj()})


def test_dedupe_does_not_overwrite_what_the_caller_says() -> None:
    data = ours.save({"a": BASE, "b": BASE}, metadata={"b": "mine"}, shared="dedupe")
    assert b'{"b":"mine"}' in data


def test_copy_gives_each_its_own_bytes() -> None:
    data = ours.save({"a": BASE, "b": BASE}, shared="copy")
    assert data == ours.save({"a": BASE.clone(), "b": BASE.clone()})
    with pytest.raises(ValueError, match="shared is"):
        ours.save({}, shared="maybe")


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(5, 3)
        self.head = torch.nn.Linear(3, 5, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("scale", torch.ones(2, 3).t())


def test_models_with_tied_weights(tmp_path: Path) -> None:
    model = Tied()
    ours.save_model(model, tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    assert b'{"head.weight":"embed.weight"}' in data
    state: dict[str, Any] = {"embed.weight": model.embed.weight, "scale": model.scale.contiguous()}  # type: ignore[operator]
    assert data == reference.save(state, {"head.weight": "embed.weight"})
    with pytest.raises(SafetensorError):
        ours.save_model(model, tmp_path / "x", shared="refuse")


def test_models_come_back_tied(tmp_path: Path) -> None:
    model, again = Tied(), Tied()
    ours.save_model(model, tmp_path / "m.safetensors", max_shard_size=24)
    assert ours.load_model(again, tmp_path / "m.safetensors.index.json") == ([], [])
    assert again.head.weight is again.embed.weight
    assert torch.equal(again.embed.weight, model.embed.weight)
    ours.save_file({"embed.weight": model.embed.weight, "other": BASE}, tmp_path / "x")
    assert ours.load_model(again, tmp_path / "x", strict=False) == (["scale"], ["other"])
    with pytest.raises(RuntimeError, match=r'Missing key.*"scale"\n.*Unexpected key.*"other"'):
        ours.load_model(again, tmp_path / "x")


def test_shards_and_durability(tmp_path: Path) -> None:
    tensors = {f"w{i}": torch.full((100,), i, dtype=torch.uint8) for i in range(3)}
    ours.save_file(tensors, tmp_path / "m.safetensors", max_shard_size=200, durable=True)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "m-00001-of-00002.safetensors",
        "m-00002-of-00002.safetensors",
        "m.safetensors.index.json",
    ]
    loaded = [reference.load_file(tmp_path / name) for name in names[:2]]
    assert [list(shard) for shard in loaded] == [["w0", "w1"], ["w2"]]
