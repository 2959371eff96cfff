"""The interface of the package ``safetensors``, exactly: ``from weighbridge.safetensors.torch import load_file``."""

from __future__ import annotations

from .._errors import SafetensorError

__all__ = ["SafetensorError"]
