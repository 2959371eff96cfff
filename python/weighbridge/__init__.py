"""Weighbridge: model weights as safetensors, read, written and converted safely, exactly and fast.

The functions for one framework are in the module of its name: :mod:`weighbridge.numpy`, :mod:`weighbridge.torch`.
:mod:`weighbridge.safetensors` has the interface of the package ``safetensors``.
"""

from __future__ import annotations

from ._errors import SafetensorError
from ._file import File, StoredTensor, open
from ._native import version as __version__

__all__ = ["File", "SafetensorError", "StoredTensor", "__version__", "open"]
