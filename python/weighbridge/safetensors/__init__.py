"""The interface of the package ``safetensors``, exactly: ``from weighbridge.safetensors.torch import load_file``."""

from __future__ import annotations

from .._errors import SafetensorError
from .._native import version as __version__
from ._deserialize import deserialize
from ._safe_open import _safe_open_handle, safe_open
from ._spec import TensorSpec, serialize, serialize_file

__all__ = [
    "SafetensorError",
    "TensorSpec",
    "__version__",
    "_safe_open_handle",
    "deserialize",
    "safe_open",
    "serialize",
    "serialize_file",
]
