"""How two models are compared: name by name, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping

import torch


def assert_same_tensors(found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> None:
    """FOUND has the names, dtypes, shapes and bits of WANTED."""
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


def assert_same_model(found: torch.nn.Module, wanted: torch.nn.Module) -> None:
    """FOUND has the parameters and buffers of WANTED."""
    assert_same_tensors(found.state_dict(), wanted.state_dict())
