"""Weighbridge: model weights as safetensors, read, written and converted safely, exactly and fast.

The functions for one framework are in the module of its name: :mod:`weighbridge.numpy`, :mod:`weighbridge.torch`.
:mod:`weighbridge.safetensors` has the interface of the package ``safetensors``.
"""

from __future__ import annotations

from ._convert import ConvertResult, OutputFile, convert
from ._edit import EditReport, edit_header, edit_metadata
from ._errors import CancelledError, DangerousContentError, SafetensorError
from ._file import File, StoredTensor, open
from ._load import LoadedFile, LoadReport, keep_memory, load_into
from ._native import version as __version__
from ._reports import Finding
from ._scan import ScanFinding, ScannedFile, ScannedGlobal, scan
from ._writer import Writer

__all__ = [
    "CancelledError",
    "ConvertResult",
    "DangerousContentError",
    "EditReport",
    "File",
    "Finding",
    "LoadReport",
    "LoadedFile",
    "OutputFile",
    "SafetensorError",
    "ScanFinding",
    "ScannedFile",
    "ScannedGlobal",
    "StoredTensor",
    "Writer",
    "__version__",
    "convert",
    "edit_header",
    "edit_metadata",
    "keep_memory",
    "load_into",
    "open",
    "scan",
]
