"""The name under which the reference has its native module, and its exception."""

from __future__ import annotations

from .._errors import SafetensorError
from ._deserialize import deserialize
from ._door import VERSION as __version__
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
