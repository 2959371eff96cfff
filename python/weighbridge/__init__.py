"""Weighbridge: model weights as safetensors, read, written and converted safely, exactly and fast.

The functions for one framework are in the module of its name: :mod:`weighbridge.numpy`, :mod:`weighbridge.torch`.
:mod:`weighbridge.safetensors` has the interface of the package ``safetensors``.
"""

from __future__ import annotations

from ._edit import EditReport, edit_metadata
from ._errors import SafetensorError
from ._file import File, StoredTensor, open
from ._native import version as __version__
from ._writer import Writer

__all__ = [
    "EditReport",
    "File",
    "SafetensorError",
    "StoredTensor",
    "Writer",
    "__version__",
    "edit_metadata",
    "open",
]
