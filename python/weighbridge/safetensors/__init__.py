"""The interface of the package ``safetensors``, exactly: ``from weighbridge.safetensors.torch import load_file``."""

from __future__ import annotations

from .._errors import SafetensorError
from .._native import version as __version__
from ._deserialize import deserialize
from ._safe_open import _safe_open_handle, safe_open

__all__ = ["SafetensorError", "__version__", "_safe_open_handle", "deserialize", "safe_open"]
