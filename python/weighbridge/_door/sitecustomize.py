"""Opens the door in the processes that a program under ``python -m weighbridge.run`` starts.

Python runs this file at its start, as it is first on the module path. Then the sitecustomize that it
stands before gets its turn.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path


def _open() -> None:
    # Another Python, without Weighbridge, is none of our business.
    with suppress(ImportError):
        from weighbridge.safetensors import install

        install()


def _run_shadowed() -> None:
    here = Path(__file__).parent
    rest = [entry for entry in sys.path if Path(entry).resolve() != here.resolve()]
    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


_open()
_run_shadowed()
