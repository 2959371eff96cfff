"""``safetensors.torch``."""

from __future__ import annotations

from ._load_torch import _TYPES, _getdtype, _view2torch, load, load_file, load_model

__all__ = ["_TYPES", "_getdtype", "_view2torch", "load", "load_file", "load_model"]
