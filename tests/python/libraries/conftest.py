"""The libraries that people load their models with, on Weighbridge in place of safetensors.

Run with door (c) open, a process for each file: `python -m weighbridge.run -m pytest test_transformers.py`.
The libraries do not know; that it was really Weighbridge that served them is checked after every file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything is imported that reads them: nothing is fetched, and nothing is found in a cache.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HOME=os.devnull, CUDA_VISIBLE_DEVICES="")


@pytest.fixture(scope="session", autouse=True)
def served_by_weighbridge() -> Iterator[None]:
    """Checks that the mirror is what was imported, and that the wheel's native code was never even loaded."""
    yield
    served = Path(sys.modules["safetensors"].__file__ or "")
    assert served.parts[-3:] == ("weighbridge", "safetensors", "__init__.py"), served
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    assert not {file for file in mapped if "_safetensors_rust" in file}
    assert {file for file in mapped if "weighbridge/_native" in file}


@pytest.fixture(autouse=True)
def same_weights() -> None:
    """The same random weights in every run."""
    import torch

    torch.manual_seed(20)
