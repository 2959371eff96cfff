"""Loading a file into a torch model whose tensors may share memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ._shared import remove_duplicate_names


def load_into(model: torch.nn.Module, loaded: Mapping[str, torch.Tensor], strict: bool) -> tuple[set[str], list[str]]:
    """Loads tensors into a model: the names that it misses, and those that it does not have.

    Of the model's tensors that share memory one is enough. With ``strict`` any name to report is a RuntimeError.
    """
    tied = remove_duplicate_names(model.state_dict(), preferred_names=set(loaded))
    reported, unexpected = model.load_state_dict(dict(loaded), strict=False)
    missing = set(reported)
    for name in (name for names in tied.values() for name in names):
        if name in missing:
            missing.remove(name)
        else:
            unexpected.append(name)
    if strict and (missing or unexpected):
        raise RuntimeError(_strict_error(model, missing, unexpected))
    return missing, unexpected


def _strict_error(model: torch.nn.Module, missing: set[str], unexpected: list[str]) -> str:
    lines = [f"Error(s) in loading state_dict for {model.__class__.__name__}:"]
    kinds: list[tuple[str, Any]] = [("Missing", missing), ("Unexpected", unexpected)]
    for kind, names in kinds:
        if names:
            lines.append(f"    {kind} key(s) in state_dict: " + ", ".join(f'"{name}"' for name in sorted(names)))
    return "\n".join(lines)
